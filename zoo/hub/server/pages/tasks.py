"""The Hub's own names of tasks, by the kind of data that they are about."""

MODALITIES = {
    "image": (
        "image-classification",
        "object-detection",
        "image-segmentation",
        "image-feature-extraction",
        "unconditional-image-generation",
        "depth-estimation",
        "keypoint-detection",
        "mask-generation",
        "zero-shot-image-classification",
        "zero-shot-object-detection",
        "image-to-image",
        "text-to-image",
        "image-to-text",
    ),
    "text": (
        "text-generation",
        "text-classification",
        "token-classification",
        "feature-extraction",
        "fill-mask",
        "question-answering",
        "sentence-similarity",
        "summarization",
        "translation",
        "zero-shot-classification",
        "text-ranking",
    ),
    "audio": (
        "automatic-speech-recognition",
        "audio-classification",
        "text-to-speech",
        "text-to-audio",
        "audio-to-audio",
        "voice-activity-detection",
    ),
    "video": ("video-classification", "text-to-video", "image-to-video"),
    "tabular": ("tabular-classification", "tabular-regression", "time-series-forecasting"),
}
"""Of a modality all tasks that take or give it first; one that plugins add is searched for by its task."""

TASKS = tuple(task for tasks in MODALITIES.values() for task in tasks)
