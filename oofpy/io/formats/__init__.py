"""File formats: one reader a file, and what several of them share."""
