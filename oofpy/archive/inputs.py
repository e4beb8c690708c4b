"""The files that decide an observation, and the hashes of their content."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from oofpy.archive.finding import companions_of
from oofpy.archive.requests import Request
from oofpy.errors import InputError
from oofpy.observation import SourceFile


def inputs_of(request: Request) -> tuple[tuple[SourceFile, ...], str]:
    """Hash the files of a request and what their readers find by themselves.

    Parameters
    ----------
    request : Request

    Returns
    -------
    inputs : tuple of SourceFile
        With absolute paths, each file of the request followed by what belongs to it. The name of a file that cannot be
        read stands for its content.
    problem : str
        Why a file of the request cannot be read; empty where all can.
    """
    inputs, problem = [], ""
    for file in request.files:
        path = file.absolute()
        try:
            inputs.append(_hashed(path))
        except OSError as error:
            failure = InputError(
                f"the file cannot be read: {error.strerror or error}",
                file=file,
                remedy="check its name and permissions",
            )
            problem = problem or str(failure)
            inputs.append(SourceFile(path, hashlib.sha256(b"unreadable\n" + os.fsencode(path)).hexdigest()))
        else:
            for companion in companions_of(path):
                with suppress(OSError):  # told when the observation is read
                    inputs.append(_hashed(companion))
    return tuple(inputs), problem


def _hashed(file: Path) -> SourceFile:
    if not file.is_file():  # a pipe would be waited for
        raise OSError("this is not a regular file" if file.exists() else "there is no such file")
    with file.open("rb") as stream:
        return SourceFile(file, hashlib.file_digest(stream, "sha256").hexdigest())
