# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in root images, listed, added, replaced, removed and extracted without mounting."""

from eyrie.images.files import edit, inject, open_image
from eyrie.images.model import Change, ImageFile, Member, Remove, RootImage

__all__ = ["Change", "ImageFile", "Member", "Remove", "RootImage", "edit", "inject", "open_image"]
