// SPDX-License-Identifier: GPL-3.0-or-later
// A stand-in of Eyrie's lab: named like a program of Windows that Wine lacks or only pretends to have, it runs
// desktop_programs.NAME with the lab's own Python, and hands its command line, streams and exit code through.
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

#define PYTHON L"Z:\\opt\\eyrie-lab\\python\\python.exe"

// What follows the program's own name, which is quoted as a whole or ends at the first blank.
static const wchar_t *arguments(const wchar_t *line)
{
    wchar_t end = *line == L'"' ? L'"' : L' ';
    if (end == L'"')
        line++;
    while (*line && *line != end)
        line++;
    return *line == L'"' ? line + 1 : line;
}

int wmain(void)
{
    static wchar_t self[MAX_PATH], line[32768];
    STARTUPINFOW start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION child;
    DWORD code = 1;
    wchar_t *name, *dot;

    GetModuleFileNameW(NULL, self, MAX_PATH);
    name = wcsrchr(self, L'\\') + 1;
    dot = wcsrchr(name, L'.');
    if (dot)
        *dot = 0;
    _wcslwr(name);
    _snwprintf(line, 32767, L"\"%ls\" -B -X utf8 -m desktop_programs.%ls %ls", PYTHON, name,
               arguments(GetCommandLineW()));
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (GetFileType(start.hStdInput) == FILE_TYPE_UNKNOWN) { // Python does not start without one
        SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
        start.hStdInput =
            CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit, OPEN_EXISTING, 0, NULL);
    }
    if (!CreateProcessW(PYTHON, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child)) {
        fprintf(stderr, "stand-in of Eyrie's lab: its Python does not start (%lu)\n", GetLastError());
        return 1;
    }
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &code);
    return (int)code;
}
