"""How dfgui looks: Gradio's base theme with one accent colour, and the style sheets and scripts of our own components.

Everything is inlined into the page's head: no request leaves for another host, and it works behind any root path.
"""

from pathlib import Path
from typing import Any

import gradio as gr

UI = Path(__file__).parent
VENDOR = UI / "components" / "vendor" / "uplot"
FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace"]


def launch_options() -> dict[str, Any]:
    """What `launch()` needs to know: theme, css and head."""
    return {"theme": theme(), "css": "", "head": head()}


def theme() -> gr.themes.Base:
    return gr.themes.Base(
        primary_hue="indigo",
        neutral_hue="slate",
        font=FONT,
        font_mono=MONO,
        radius_size="md",
        spacing_size="md",
        text_size="md",
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_width="1px",
        block_shadow="none",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0",
        block_title_text_weight="500",
        block_info_text_color="var(--df-soft)",
        block_info_text_color_dark="var(--df-soft)",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="white",
        button_primary_shadow="none",
        button_secondary_shadow="none",
    )


def head() -> str:
    """Our style sheets and scripts. A component or page brings its own by putting .css or .js beside itself."""
    styles = [VENDOR / "uPlot.min.css", UI / "theme.css", *_beside("css")]
    scripts = [VENDOR / "uPlot.iife.min.js", UI / "shell.js", *_beside("js")]
    return "".join(
        [f"<style>{sheet.read_text(encoding='utf-8')}</style>" for sheet in styles]
        + [f"<script>{script.read_text(encoding='utf-8')}</script>" for script in scripts]
    )


def first_script() -> str:
    """The script that has to be there before Gradio's own."""
    return (UI / "stillness.js").read_text(encoding="utf-8")


def _beside(ending: str) -> list[Path]:
    return [path for folder in ("components", "pages") for path in sorted((UI / folder).glob(f"*.{ending}"))]
