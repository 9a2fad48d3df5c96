/* SPDX-License-Identifier: GPL-3.0-or-later
 * A Windows program that needs a display: draws a text with a TrueType font in a window and tells what it drew.
 * usage: window FACE */
#include <stdio.h>
#include <windows.h>

static int draw(HWND window, const char *face)
{
    static const char text[] = "The quick brown fox";
    RECT area = {0, 0, 400, 100};
    TEXTMETRIC metric;
    char chosen[LF_FACESIZE] = "";
    HDC screen = GetDC(window);
    HFONT font = CreateFont(-40, 0, 0, 0, FW_NORMAL, FALSE, FALSE, FALSE, ANSI_CHARSET, OUT_DEFAULT_PRECIS,
                            CLIP_DEFAULT_PRECIS, DEFAULT_QUALITY, DEFAULT_PITCH, face);
    int x, y, dark = 0;

    SelectObject(screen, font);
    GetTextFace(screen, sizeof chosen, chosen);
    GetTextMetrics(screen, &metric);
    FillRect(screen, &area, (HBRUSH)GetStockObject(WHITE_BRUSH));
    TextOut(screen, 5, 5, text, sizeof text - 1);
    GdiFlush();
    for (y = 0; y < area.bottom; y++)
        for (x = 0; x < area.right; x++)
            dark += GetPixel(screen, x, y) == RGB(0, 0, 0);
    printf("font %s %s\n", chosen, metric.tmPitchAndFamily & TMPF_TRUETYPE ? "TrueType" : "bitmap");
    printf("drawn %s\n", dark > 500 ? "yes" : "no");
    return dark > 500;
}

int main(int argc, char **argv)
{
    HWND window = CreateWindow("STATIC", "Eyrie", WS_POPUP | WS_VISIBLE, 0, 0, 400, 100, NULL, NULL, NULL, NULL);
    MSG message;

    if (!window) {
        fprintf(stderr, "no window\n");
        return 4;
    }
    while (PeekMessage(&message, NULL, 0, 0, PM_REMOVE))
        DispatchMessage(&message);
    return draw(window, argc > 1 ? argv[1] : "Arial") ? 0 : 5;
}
