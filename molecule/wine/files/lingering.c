/* SPDX-License-Identifier: GPL-3.0-or-later
 * A Windows program that ends at once and leaves another one running, as careless installers do. */
#include <stdio.h>
#include <string.h>
#include <windows.h>

int main(int argc, char **argv)
{
    STARTUPINFO start = {sizeof start};
    PROCESS_INFORMATION child;
    char line[MAX_PATH + 10] = "";

    if (argc > 1) {
        Sleep(600 * 1000);
        return 0;
    }
    snprintf(line, sizeof line, "\"%s\" stay", argv[0]);
    if (!CreateProcess(NULL, line, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL, &start, &child))
        return 3;
    printf("left behind\n");
    return 0;
}
