"""Files that say which samples to leave out of the fit."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from oofpy.errors import InputError
from oofpy.io.fits_access import is_table
from oofpy.io.reader import FileContent
from oofpy.observation import BoolArray

HOW = "give a table with the columns map (from 1) and sample (from 0) to leave out, or FITS images, one a map"


def read_mask(path: str | Path, samples: Sequence[int]) -> tuple[BoolArray, ...]:
    """Read which samples of an observation are to be used.

    Two forms are known, told apart by content:

    - text (CSV, ECSV or blank-separated) with the line ``map,sample`` and then one line a sample to leave
      out: the number of the map from 1, and of the sample in the order of the file from 0;
    - FITS with one integer image a map, in the order of the maps, of as many elements as the map has
      samples: 0 leaves a sample out, anything else keeps it.

    Parameters
    ----------
    path : path-like
        The mask file.
    samples : sequence of int
        Number of samples of every map of the observation.

    Returns
    -------
    tuple of array of bool, each of shape (samples,)
        True where the mask keeps the sample.

    Raises
    ------
    InputError
        If the file is of neither form, or names a map or sample that does not exist.
    """
    return parse_mask(FileContent.load(path), samples)


def parse_mask(content: FileContent, samples: Sequence[int]) -> tuple[BoolArray, ...]:
    """Do the work of `read_mask` on a file that is already read."""
    if not content.is_fits:
        return _from_table(content, samples)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _from_images(content, samples)
    except (ValueError, TypeError, LookupError, OSError, MemoryError, AttributeError, struct.error) as error:
        raise InputError(f"the mask is damaged: {error}", file=content.path, remedy=HOW) from error


def _from_table(content: FileContent, samples: Sequence[int]) -> tuple[BoolArray, ...]:
    lines = (content.text or "").splitlines()
    significant = [
        (number, re.split(r"[,;\s]+", line.strip()))
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not significant or [word.strip('"').lower() for word in significant[0][1]] != ["map", "sample"]:
        raise InputError("this is no mask", file=content.path, remedy=HOW)
    keep = tuple(np.ones(size, bool) for size in samples)
    for number, words in significant[1:]:
        if len(words) != 2 or not all(re.fullmatch("[0-9]{1,12}", word) for word in words):
            raise _wrong_line(content, number, words, "this line must hold two whole numbers")
        map_number, sample = int(words[0]), int(words[1])
        if not 1 <= map_number <= len(samples):
            raise _wrong_line(content, number, words, f"there is no map {map_number} of {len(samples)}")
        if sample >= samples[map_number - 1]:
            problem = f"map {map_number} has the samples 0 to {samples[map_number - 1] - 1}"
            raise _wrong_line(content, number, words, problem)
        keep[map_number - 1][sample] = False
    return keep


def _wrong_line(content: FileContent, number: int, words: list[str], problem: str) -> InputError:
    return InputError(problem, file=content.path, key=f"line {number}", value=",".join(words), remedy=HOW)


def _from_images(content: FileContent, samples: Sequence[int]) -> tuple[BoolArray, ...]:
    images = [hdu for hdu in content.hdus if not is_table(hdu) and hdu.header.get("NAXIS", 0)]
    if len(images) != len(samples):
        raise InputError(f"the mask has {len(images)} images for {len(samples)} maps", file=content.path, remedy=HOW)
    keep = []
    for number, (hdu, size) in enumerate(zip(images, samples, strict=True), start=1):
        values = np.asarray(hdu.data).ravel()
        if values.dtype.kind not in "iu" or values.size != size:
            raise InputError(
                f"the image of map {number} has {values.size} elements of {values.dtype.name}, "
                f"where {size} whole numbers are needed",
                file=content.path,
                remedy=HOW,
            )
        keep.append(values != 0)
    return tuple(keep)
