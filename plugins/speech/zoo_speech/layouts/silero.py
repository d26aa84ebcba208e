"""How the wheel silero-vad stores its model: by our names."""

import zoo

LAYOUTS = (
    zoo.Layout(
        library="silero-vad",
        models={"silero_vad": {}},
        stem="stft_conv.weight",
        classifier="none",
        inputs={"rate": 16_000},
    ),
)
