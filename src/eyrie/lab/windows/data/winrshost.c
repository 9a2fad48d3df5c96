// SPDX-License-Identifier: GPL-3.0-or-later
// A stand-in of Eyrie's lab for winrshost.exe, the parent that WinRM gives a command on Windows: it sets the code
// page of the console, of which only a program on that console can speak, and hands the exit code through.
//     winrshost CODEPAGE COMMAND LINE
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

static BOOL WINAPI ignore(DWORD event)
{
    return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT; // these are for the command alone
}

int wmain(void)
{
    STARTUPINFOW start = {.cb = sizeof start};
    PROCESS_INFORMATION child;
    DWORD code = 1;
    wchar_t *line = wcschr(GetCommandLineW(), L' ');
    UINT page = line ? wcstoul(line, &line, 10) : 0;

    if (!page || *line != L' ')
        return 87;
    SetConsoleCP(page);
    SetConsoleOutputCP(page);
    SetConsoleCtrlHandler(ignore, TRUE);
    if (!CreateProcessW(NULL, line + 1, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child)) {
        code = GetLastError();
        fprintf(stderr, "The command does not start: error %lu\n", code);
        return code;
    }
    CloseHandle(GetStdHandle(STD_INPUT_HANDLE)); // the pipes are the command's alone
    CloseHandle(GetStdHandle(STD_OUTPUT_HANDLE));
    CloseHandle(GetStdHandle(STD_ERROR_HANDLE));
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &code);
    return (int)code;
}
