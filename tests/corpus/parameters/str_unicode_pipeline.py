"""String defaults beyond ASCII, and beyond the basic multilingual plane."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def show(text: str):
    print("größer als „früher“ → 🐍", text)


@dsl.pipeline(name="str-unicode", description="Größe, Œuvre, 模型, 🚀 and a combining é")
def str_unicode(
    latin: str = "Größe naïve œuvre",
    cyrillic: str = "модель",
    cjk: str = "数据集モデル데이터",
    arabic: str = "نموذج البيانات",
    hebrew: str = "שלום",
    astral_emoji: str = "🚀🐍",
    emoji_sequence: str = "👩‍🔬👍🏽🏳️‍🌈",
    astral_letter: str = "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠜎",
    combining: str = "e\u0301",
    composed: str = "\u00e9",
    zero_width: str = "a\u200bb\u200dc",
    no_break_space: str = "a\u00a0b",
    byte_order_mark: str = "\ufeffbom",
    replacement: str = "\ufffd",
    private_use: str = "\ue000",
    soft_hyphen: str = "a\u00adb",
    right_to_left: str = "\u202eabc\u202c",
    last_code_point: str = "\U0010ffff",
):
    show(text=latin)
    show(text=astral_emoji)
    show(text="literal 🚀 and ümlaut, a noncharacter \ufffe and a byte order mark \ufeff")
