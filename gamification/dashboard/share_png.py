"""The share card as a PNG: drawn with Pillow, where it is installed, and with the app's own font."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from gamification.dashboard.share_card import HEIGHT, LONGEST, WIDTH, clean

try:
    from PIL import Image, ImageDraw, ImageFont, ImageOps, PngImagePlugin, features
except ImportError:  # the extra `share` is not installed
    HAS_PILLOW = False
else:
    HAS_PILLOW = True

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

    from gamification.dashboard.share_card import ShareCard

VENDOR = Path(__file__).resolve().parent.parent / "static" / "gamification" / "vendor"
BOLD, MEDIUM = str(VENDOR / "figtree-800.ttf"), str(VENDOR / "figtree-500.ttf")
#: Asked for what Figtree cannot write, where the system has one of them.
SYSTEM_FONTS = ("DejaVuSans-Bold.ttf", "NotoSans-Bold.ttf", "NotoSansCJK-Bold.ttc", "Arial Unicode.ttf")
#: Shapes are drawn this many times larger and made small again: edges become smooth.
SCALE = 2
MARGIN = 72
GRADIENT = ("#4338ca", "#6d28d9", "#9333ea")
WHITE, SOFT, GOLD, DEEP = "#ffffff", "#e4dcff", "#fbbf24", "#4c1d95"
RARITIES = {"common": "#cbd5e1", "rare": "#7dd3fc", "epic": "#f0abfc", "legendary": "#fcd34d"}
#: How much white lies over the background, of 255, for each step of a day.
STEPS = (30, 85, 135, 190, 255)
#: No font has a glyph for it, so it looks like whatever a font lacks.
MISSING = "\uffff"
HEXAGON = ((50, 6), (91, 29), (91, 81), (50, 104), (9, 81), (9, 29))
INNER_HEXAGON = ((50, 15), (83, 33.5), (83, 76.5), (50, 95), (17, 76.5), (17, 33.5))


def is_possible() -> bool:
    """Tell whether PNGs can be drawn here."""
    return HAS_PILLOW


def draw(card: ShareCard) -> bytes:
    """Return ``card`` as a PNG of 1200 x 630 pixels; letters that no font at hand can write are left out."""
    shapes = Image.new("RGBA", (WIDTH * SCALE, HEIGHT * SCALE))
    pen = ImageDraw.Draw(shapes)
    _medallion(pen)
    _pills(pen, card)
    _calendar(pen, card)
    image = _background().copy()
    image.alpha_composite(shapes.reduce(SCALE))
    _write_all(ImageDraw.Draw(image), card)
    said = PngImagePlugin.PngInfo()
    said.add_itxt("Title", clean(card.alt, len(card.alt)))
    file = BytesIO()
    image.convert("RGB").save(file, "PNG", pnginfo=said)
    return file.getvalue()


@lru_cache(maxsize=1)
def _background() -> Image.Image:
    """Return the gradient, from one corner to the other."""
    down = Image.linear_gradient("L")
    diagonal = Image.blend(down, down.rotate(90), 0.7).resize((WIDTH, HEIGHT))
    return ImageOps.colorize(diagonal, *GRADIENT[::2], mid=GRADIENT[1]).convert("RGBA")


# Shapes


def _medallion(pen: ImageDraw.ImageDraw) -> None:
    for corners, colour in ((HEXAGON, GOLD), (INNER_HEXAGON, DEEP)):
        points = [((MARGIN - 16 + 2 * x) * SCALE, (MARGIN - 12 + 2 * y) * SCALE) for x, y in corners]
        pen.polygon(points, fill=colour)
        pen.line([*points, *points[:2]], fill=colour, width=16 * SCALE, joint="curve")


def _pills(pen: ImageDraw.ImageDraw, card: ShareCard) -> None:
    for (left, top, right, bottom), honour in zip(_places(card), card.honours, strict=True):
        box = (left * SCALE, top * SCALE, right * SCALE, bottom * SCALE)
        pen.rounded_rectangle(box, radius=24 * SCALE, fill=(255, 255, 255, 38))
        x, y = (left + 36) * SCALE, (top + bottom) // 2 * SCALE
        pen.circle((x, y), 11 * SCALE, fill=RARITIES.get(honour.rarity, RARITIES["common"]))


def _places(card: ShareCard) -> list[tuple[int, int, int, int]]:
    """Return where the achievements stand: three beside one another."""
    width, gap = 336, 24
    lefts = (MARGIN + at * (width + gap) for at in range(len(card.honours)))
    return [(left, 296, left + width, 372) for left in lefts]


def _calendar(pen: ImageDraw.ImageDraw, card: ShareCard) -> None:
    pitch, size = (WIDTH - 2 * MARGIN) / len(card.weeks), 15
    for number, week in enumerate(card.weeks):
        for weekday, step in enumerate(week):
            if step is not None:
                x, y = (MARGIN + number * pitch) * SCALE, (456 + weekday * 20) * SCALE
                box = (x, y, x + size * SCALE, y + size * SCALE)
                pen.rounded_rectangle(box, radius=4 * SCALE, fill=(255, 255, 255, STEPS[step]))


# Words


def _write_all(pen: ImageDraw.ImageDraw, card: ShareCard) -> None:
    _write(pen, (156, 122), (card.level_word, "Level"), MEDIUM, 26, 130, colour="#fde68a", anchor="mm")
    _write(pen, (156, 180), (card.level,), BOLD, 84, 140, anchor="mm")
    _write(pen, (312, 176), (card.name, "Player"), BOLD, 76, WIDTH - MARGIN - 312)
    _write(
        pen,
        (312, 236),
        (card.title, f"{card.level_word} {card.level}", f"Level {card.level}"),
        MEDIUM,
        40,
        WIDTH - MARGIN - 312,
        colour=SOFT,
    )
    for (left, top, right, bottom), honour in zip(_places(card), card.honours, strict=True):
        at = (left + 62, (top + bottom) // 2)
        _write(pen, at, (honour.name, "Achievement"), MEDIUM, 28, right - left - 86, anchor="lm")
    _write(pen, (MARGIN, 434), (card.days,), MEDIUM, 22, WIDTH - 2 * MARGIN, colour=SOFT)


def _write(
    pen: ImageDraw.ImageDraw,
    at: tuple[int, int],
    words: tuple[str, ...],
    path: str,
    size: int,
    width: int,
    colour: str = WHITE,
    anchor: str = "ls",
) -> None:
    """Write the first of ``words`` that can be written at all, smaller or cut off where it is too wide."""
    text, path = next((found for each in words if (found := _writable(each, path))[0]), ("", path))
    least, font = max(26, size // 2), _font(path, size)
    while font is not None and font.getlength(text) > width and size > least:
        size -= 4
        font = _font(path, size)
    if font is None or not text:
        return
    if font.getlength(text) > width:
        while text and font.getlength(f"{text}…") > width:
            text = text[:-1].rstrip()
        text += "…"
    pen.text(at, text, font=font, fill=colour, anchor=anchor)


def _writable(text: str, path: str) -> tuple[str, str]:
    """Return what can be written of ``text``, and with which font: the first that lacks nothing, or else the best."""
    wanted = clean(text, LONGEST)
    is_joined = any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in wanted)
    fonts = (path,) if is_joined and not features.check("raqm") else (path, *SYSTEM_FONTS)
    best = ("", path)
    for each in fonts:
        found = " ".join("".join(letter for letter in wanted if letter == " " or _has(each, letter)).split())
        if len(found) > len(best[0]):
            best = (found, each)
        if found == wanted:
            break
    return best


@lru_cache(maxsize=4096)
def _has(path: str, letter: str) -> bool:
    font = _font(path, 20)
    if font is None:
        return False
    glyph, missing = font.getmask(letter), font.getmask(MISSING)
    return (glyph.size, bytes(glyph)) != (missing.size, bytes(missing))


@lru_cache(maxsize=64)
def _font(path: str, size: int) -> FreeTypeFont | None:
    try:
        return ImageFont.truetype(path, size)
    except OSError:
        return None
