/* The colours of activation maps. Anchors are given in OKLab (Ottosson, "A perceptual color space for image processing", 2020) as
 * hue and chroma; lightness is a straight line from dark to bright. Between anchors chroma and hue follow a cubic Hermite
 * curve, and steps are then evened out so that neighbours differ by the same OKLab distance. */
#include <math.h>
#include <stddef.h>

#include "base/memory.h"
#include "camcl/image.h"

typedef struct lab {
    double l, a, b;
} lab;

/* t, hue in degrees (rising through 360: violet, red, orange, yellow), chroma. */
static const struct {
    double t, hue, chroma;
} anchors[] = { { 0.00, 285, 0.06 },  { 0.22, 310, 0.145 }, { 0.45, 372, 0.185 },
                { 0.65, 405, 0.170 }, { 0.85, 440, 0.145 }, { 1.00, 465, 0.080 } };

static const double darkest = 0.16, lightest = 0.97;

/* The slope at an anchor: the chord between its neighbours; one-sided at the ends. */
static double slope(size_t i, int of_hue)
{
    size_t before = i > 0 ? i - 1 : i, after = i + 1 < CC_COUNT(anchors) ? i + 1 : i;
    double rise = of_hue ? anchors[after].hue - anchors[before].hue : anchors[after].chroma - anchors[before].chroma;
    return rise / (anchors[after].t - anchors[before].t);
}

static double hermite(double from, double to, double slope_from, double slope_to, double width, double u)
{
    double u2 = u * u, u3 = u2 * u;
    return (2 * u3 - 3 * u2 + 1) * from + (u3 - 2 * u2 + u) * width * slope_from + (3 * u2 - 2 * u3) * to + (u3 - u2) * width * slope_to;
}

static lab curve(double t)
{
    size_t i = 0;
    while (i + 2 < CC_COUNT(anchors) && t > anchors[i + 1].t)
        i++;
    double width = anchors[i + 1].t - anchors[i].t, u = (t - anchors[i].t) / width;
    double hue = hermite(anchors[i].hue, anchors[i + 1].hue, slope(i, 1), slope(i + 1, 1), width, u) * 3.14159265358979323846 / 180.0;
    double chroma = hermite(anchors[i].chroma, anchors[i + 1].chroma, slope(i, 0), slope(i + 1, 0), width, u);
    return (lab){ darkest + (lightest - darkest) * t, chroma * cos(hue), chroma * sin(hue) };
}

static uint8_t srgb_byte(double linear)
{
    double value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1.0 / 2.4) - 0.055;
    return (uint8_t)(value <= 0 ? 0 : value >= 1 ? 255 : value * 255.0 + 0.5);
}

/* Converts OKLab to sRGB with the paper's matrices. Colours outside sRGB are clamped per channel. */
static void to_srgb(lab from, uint8_t rgb[3])
{
    double l = from.l + 0.3963377774 * from.a + 0.2158037573 * from.b;
    double m = from.l - 0.1055613458 * from.a - 0.0638541728 * from.b;
    double s = from.l - 0.0894841775 * from.a - 1.2914855480 * from.b;
    l = l * l * l;
    m = m * m * m;
    s = s * s * s;
    rgb[0] = srgb_byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
    rgb[1] = srgb_byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
    rgb[2] = srgb_byte(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s);
}

void camcl_colormap(uint8_t colors[256][3])
{
    enum { fine = 2048 };
    double length[fine + 1];
    lab last = curve(0);
    length[0] = 0;
    for (int i = 1; i <= fine; i++) {
        lab next = curve((double)i / fine);
        double dl = next.l - last.l, da = next.a - last.a, db = next.b - last.b;
        length[i] = length[i - 1] + sqrt(dl * dl + da * da + db * db);
        last = next;
    }
    for (int k = 0, i = 0; k < 256; k++) {
        double wanted = length[fine] * k / 255;
        while (i + 1 < fine && length[i + 1] < wanted)
            i++;
        double share = (wanted - length[i]) / (length[i + 1] - length[i]);
        to_srgb(curve((i + share) / fine), colors[k]);
    }
}
