"""How transformers stores DistilBERT: a BERT by names of its own."""

import zoo

_LAYER = "[distilbert.]transformer.layer.{n}."
_OURS = "encoder.layer.{n}."
LAYOUTS = (
    zoo.Layout(
        library="transformers",
        models={"distilbert": {}},
        config={"model_type": "distilbert", "activation": "gelu", "tie_word_embeddings": True},
        defaults={
            "vocab_size": 30_522,
            "dim": 768,
            "n_layers": 6,
            "n_heads": 12,
            "hidden_dim": 3072,
            "activation": "gelu",
            "max_position_embeddings": 512,
            "dropout": 0.1,
            "attention_dropout": 0.1,
            "seq_classif_dropout": 0.2,
            "tie_word_embeddings": True,
        },
        aliases={"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"},
        stem="embeddings.word_embeddings.weight",
        classifier="head.out.weight",
        options={
            "vocab_size": "vocab_size",
            "context": "max_position_embeddings",
            "width": "dim",
            "depth": "n_layers",
            "num_heads": "n_heads",
            "mlp_width": "hidden_dim",
            "dropout": "dropout",
            "attention_dropout": "attention_dropout",
            "classifier_dropout": "seq_classif_dropout",
        },
        present={"lm_head": "cls.predictions.bias"},
        pooling={"mean": {"pool": "avg"}, "cls": {"pool": "token"}},
        architectures={
            "fill-mask": "DistilBertForMaskedLM",
            "text-classification": "DistilBertForSequenceClassification",
            "feature-extraction": "DistilBertModel",
        },
        renames=(
            zoo.Rename("[distilbert.]embeddings", "embeddings"),
            *(
                zoo.Rename(f"{_LAYER}{theirs}", f"{_OURS}{ours}")
                for theirs, ours in (
                    ("attention.q_lin", "attention.self.query"),
                    ("attention.k_lin", "attention.self.key"),
                    ("attention.v_lin", "attention.self.value"),
                    ("attention.out_lin", "attention.output.dense"),
                    ("sa_layer_norm", "attention.output.LayerNorm"),
                    ("ffn.lin1", "intermediate.dense"),
                    ("ffn.lin2", "output.dense"),
                    ("output_layer_norm", "output.LayerNorm"),
                )
            ),
            zoo.Rename("vocab_transform", "cls.predictions.transform.dense"),
            zoo.Rename("vocab_layer_norm", "cls.predictions.transform.LayerNorm"),
            zoo.Rename("vocab_projector.bias", "cls.predictions.bias"),
            zoo.Rename("pre_classifier", "head.dense"),
            zoo.Rename("classifier", "head.out"),
        ),
        ignored=("embeddings.position_ids",),
        twins=(zoo.Twin("vocab_projector.weight", "embeddings.word_embeddings.weight"),),
    ),
)
