# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernels that are none, archives of them, and what bootloaders' files look like."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path


def image(version: str, protocol: int = 0x0203) -> bytes:
    """Return the header of a bzImage that says it is this version."""
    data = bytearray(0x800)
    data[0x202:0x206] = b"HdrS"
    data[0x206:0x208] = protocol.to_bytes(2, "little")
    data[0x20E:0x210] = (0x300).to_bytes(2, "little")
    text = version.encode() + b"\0"
    data[0x500 : 0x500 + len(text)] = text
    return bytes(data)


def archive(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    """Write a tar of files; a name that ends in a slash is a folder, `a -> b` a link."""
    with tarfile.open(path, mode) as tar:
        for name, data in files.items():
            link = name.partition(" -> ")
            entry = tarfile.TarInfo(link[0].rstrip("/"))
            entry.mtime, entry.size = 1, len(data)
            if link[1]:
                entry.type, entry.linkname = tarfile.SYMTYPE, link[2]
            elif name.endswith("/"):
                entry.type = tarfile.DIRTYPE
            tar.addfile(entry, io.BytesIO(data))
    return path


GRUB_CFG = """
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="0"
fi
function gfxmode {
	set gfxpayload="${1}"
}
menuentry 'Debian GNU/Linux' --class debian --class gnu-linux $menuentry_id_option 'gnulinux-simple-1234' {
	load_video
	insmod gzio
	if [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
	insmod part_msdos
	insmod ext2
	set root='hd0,msdos1'
	echo	'Loading Linux 6.12.9-new ...'
	linux	/boot/vmlinuz-6.12.9-new root=/dev/vda1 ro  console=ttyS0 quiet panic=5
	echo	'Loading initial ramdisk ...'
	initrd	/boot/initrd.img-6.12.9-new
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-1234' {
	menuentry 'Debian GNU/Linux, with Linux 6.12.8-old' $menuentry_id_option 'gnulinux-6.12.8-old' {
		insmod ext2
		set root='hd0,msdos1'
		linux	/boot/vmlinuz-6.12.8-old root=/dev/vda1 ro  console=ttyS0 quiet panic=5
		initrd	/boot/initrd.img-6.12.8-old
	}
}
### BEGIN /etc/grub.d/41_custom ###
if [ -f  ${config_directory}/custom.cfg ]; then
  source ${config_directory}/custom.cfg
fi
"""
GRUBENV = "# GRUB Environment Block\n".ljust(1024, "#")
MENU_LST = """# menu.lst
default 0
timeout 5

title Debian GNU/Linux, kernel 2.4.27-2-686
root (hd0,0)
kernel /vmlinuz-2.4.27-2-686 root=/dev/hda2 ro panic=5 console=ttyS0
initrd /initrd.img-2.4.27-2-686
savedefault
boot

title Windows
rootnoverify (hd0,1)
chainloader +1
"""
LILO_CONF = """boot=/dev/hda
root=/dev/hda1
prompt
timeout=50
default=Linux

image=/vmlinuz
\tlabel=Linux
\tread-only
\tappend="hdc=ide-scsi panic=5"
\tinitrd=/initrd.img
\tvga=normal

image=/boot/vmlinuz-2.4.18
\tlabel=LinuxOLD
\troot=/dev/hda2
\tread-only
\toptional

other=/dev/hda3
\tlabel=DOS
"""
MAKEFILE = """VERSION = 2
PATCHLEVEL = 4
SUBLEVEL = 26
EXTRAVERSION =
R = $(VERSION).$(PATCHLEVEL).$(SUBLEVEL)$(EXTRAVERSION)

oldconfig:
\tread answer && echo 'CONFIG_NEW=y' >> .config; echo oldconfig >> order
dep:
\techo dep >> order
bzImage:
\techo bzImage >> order; mkdir -p arch/i386/boot; touch System.map
\tpython3 make_image.py "$(R) ($$KBUILD_BUILD_USER@$$KBUILD_BUILD_HOST) #1"
modules:
\techo modules >> order
modules_install:
\tmkdir -p $(INSTALL_MOD_PATH)/lib/modules/$(R)/kernel
\ttouch $(INSTALL_MOD_PATH)/lib/modules/$(R)/kernel/net.o
\tln -s /nowhere $(INSTALL_MOD_PATH)/lib/modules/$(R)/build
.PHONY: oldconfig dep bzImage modules modules_install
"""
IMAGE = """import sys
data = bytearray(0x800)
data[0x202:0x208] = b"HdrS\\3\\2"
data[0x20E:0x210] = b"\\0\\3"
data[0x500:0x500 + len(sys.argv[1])] = sys.argv[1].encode()
open("arch/i386/boot/bzImage", "wb").write(data)
"""
NAMES_IT = """--- a/Makefile
+++ b/Makefile
@@ -1,7 +1,7 @@
 VERSION = 2
 PATCHLEVEL = 4
 SUBLEVEL = 26
-EXTRAVERSION ={old}
+EXTRAVERSION = {new}
 R = $(VERSION).$(PATCHLEVEL).$(SUBLEVEL)$(EXTRAVERSION)

 oldconfig:
--- /dev/null
+++ b/{file}
@@ -0,0 +1 @@
+here
"""


def source(folder: Path) -> Path:
    """Write the archive of a source of a few lines, which real make turns into what looks like a kernel."""
    tree = folder / "linux-2.4.26"
    tree.mkdir()
    (tree / "Makefile").write_text(MAKEFILE)
    (tree / "make_image.py").write_text(IMAGE)
    with tarfile.open(folder / "source.tar", "w") as tar:
        tar.add(tree, "linux-2.4.26")
    return folder / "source.tar"
