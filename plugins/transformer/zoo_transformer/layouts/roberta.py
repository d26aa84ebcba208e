"""How transformers stores RoBERTa: as BERT but for its heads, with positions that begin behind that of padding."""

import zoo
from zoo_transformer.layouts.bert import LAYOUTS as BERT

(_BERT,) = BERT
LAYOUTS = (
    zoo.Layout(
        library="transformers",
        models={"roberta": {}},
        # positions count from behind that of padding
        config={**_BERT.config, "model_type": "roberta", "pad_token_id": 1},
        defaults={**_BERT.defaults, "vocab_size": 50_265, "pad_token_id": 1},
        same=_BERT.same,
        written={"bos_token_id": 0, "eos_token_id": 2},
        stem="embeddings.word_embeddings.weight",
        classifier="head.out.weight",
        options=_BERT.options,
        shifts={"context": -2},
        arguments={"position_offset": 2},
        present={"lm_head": "cls.predictions.bias"},
        pooling={"mean": {"pool": "avg"}, "cls": {"pool": "token"}},
        architectures={
            "fill-mask": "RobertaForMaskedLM",
            "text-classification": "RobertaForSequenceClassification",
            "feature-extraction": "RobertaModel",
        },
        renames=(
            zoo.Rename("lm_head.dense", "cls.predictions.transform.dense"),
            zoo.Rename("lm_head.layer_norm", "cls.predictions.transform.LayerNorm"),
            zoo.Rename("lm_head.bias", "cls.predictions.bias"),
            zoo.Rename("classifier.dense", "head.dense"),
            zoo.Rename("classifier.out_proj", "head.out"),
            zoo.Rename("[roberta.]pooler", "pooler"),
            zoo.Rename("[roberta.]embeddings", "embeddings"),
            zoo.Rename("[roberta.]encoder.layer.{n}", "encoder.layer.{n}"),
        ),
        ignored=("pooler", "embeddings.position_ids"),  # no head of RoBERTa sees its pooler
        twins=(
            zoo.Twin("lm_head.decoder.weight", "embeddings.word_embeddings.weight"),
            zoo.Twin("lm_head.decoder.bias", "cls.predictions.bias"),
        ),
    ),
)
