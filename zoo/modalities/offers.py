"""The modalities that the core offers, through the hook that plugins use too."""

from collections.abc import Iterator

from zoo.specs.hooks import hookimpl
from zoo.specs.records import ModalitySpec, OptionSpec


@hookimpl
def zoo_modalities() -> Iterator[ModalitySpec]:
    yield ModalitySpec(
        name="image",
        summary="Images: PNG, JPEG, WebP and other formats that Pillow reads",
        target="zoo.modalities.image:modality",
        record="zoo.weights.inputs:Preprocessing",
        unit="img",
        example="IMAGE…",
        suffixes=(".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"),
        draws=True,
        targets=("images", "labels", "boxes", "masks"),
        capabilities=("features", "detection-ready", "embed", "reconstruct", "sample"),
        data_options="zoo.modalities.image:ImageOptions",
    )
    yield ModalitySpec(
        name="text",
        summary="Text: plain files, tables (csv, tsv, json, jsonl, parquet), parallel files",
        target="zoo.modalities.text:modality",
        record="zoo.weights.inputs:Tokenization",
        unit="texts",
        example='"TEXT"',
        files=(
            "tokenizer.json",
            "tokenizer_config.json",
            "chat_template.jinja",
            "modules.json",
            "1_Pooling/config.json",
            "sentence_bert_config.json",
        ),
        suffixes=(".txt", ".md", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet"),
        typed="text",
        targets=("tokens", "labels", "target_text"),
        capabilities=("features", "language-model", "generate", "encode-decode"),
        data_options="zoo.data.text.records:Columns",
        options=(
            OptionSpec(name="text", summary="The column of texts in a table."),
            OptionSpec(name="pair", summary="The column of second texts in a table."),
        ),
    )
