"""Forms in which telescopes take corrections, a file each."""
