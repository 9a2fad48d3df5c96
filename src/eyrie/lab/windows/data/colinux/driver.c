// SPDX-License-Identifier: GPL-3.0-or-later
// A driver that does nothing, for linux.sys, npf.sys and TAP's: a stand-in of Eyrie's lab. What counts is that Windows'
// service manager loads and unloads it, and that each release's file differs.
typedef long NTSTATUS;

const char what[] = "a stand-in of Eyrie's lab for a driver of " RELEASE;

static void __stdcall unload(void *driver)
{
    (void)driver;
}

NTSTATUS __stdcall DriverEntry(void *driver, void *path)
{
    (void)path;
    // DRIVER_OBJECT.DriverUnload
    *(void **)((char *)driver + (sizeof(void *) == 8 ? 0x68 : 0x34)) = (void *)unload;
    return what[0] == 'a' ? 0 : -1;
}
