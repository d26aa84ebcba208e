"""How transformers stores RoBERTa: as BERT but for its heads, with positions that begin behind that of padding."""

import zoo

LAYOUTS = (
    zoo.Layout(
        library="transformers",
        models={"roberta": {}},
        config={
            "model_type": "roberta",
            "hidden_act": "gelu",
            "position_embedding_type": "absolute",
            "pad_token_id": 1,  # positions count from behind it
            "is_decoder": False,
            "add_cross_attention": False,
            "tie_word_embeddings": True,
        },
        defaults={
            "vocab_size": 50_265,
            "hidden_size": 768,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "intermediate_size": 3072,
            "hidden_act": "gelu",
            "max_position_embeddings": 512,
            "type_vocab_size": 2,
            "layer_norm_eps": 1e-12,
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "classifier_dropout": None,
            "pad_token_id": 1,
            "is_decoder": False,
            "add_cross_attention": False,
            "tie_word_embeddings": True,
        },
        same={
            "attention_probs_dropout_prob": "hidden_dropout_prob",
            "classifier_dropout": "hidden_dropout_prob",
        },
        written={"bos_token_id": 0, "eos_token_id": 2},
        stem="embeddings.word_embeddings.weight",
        classifier="head.out.weight",
        options={
            "vocab_size": "vocab_size",
            "context": "max_position_embeddings",
            "width": "hidden_size",
            "depth": "num_hidden_layers",
            "num_heads": "num_attention_heads",
            "mlp_width": "intermediate_size",
            "num_segments": "type_vocab_size",
            "norm_eps": "layer_norm_eps",
            "dropout": "hidden_dropout_prob",
            "attention_dropout": "attention_probs_dropout_prob",
            "classifier_dropout": "classifier_dropout",
        },
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
