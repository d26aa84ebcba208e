"""How transformers stores BERT: with our names, behind `bert.`."""

import zoo

_NORMS = (
    ("[bert.]", "embeddings.LayerNorm"),
    ("[bert.]", "encoder.layer.{n}.attention.output.LayerNorm"),
    ("[bert.]", "encoder.layer.{n}.output.LayerNorm"),
    ("", "cls.predictions.transform.LayerNorm"),
)
LAYOUTS = (
    zoo.Layout(
        library="transformers",
        models={
            "bert": {},
            "minilm_l6": {
                "hidden_size": 384,
                "num_hidden_layers": 6,
                "num_attention_heads": 12,
                "intermediate_size": 1536,
                "max_position_embeddings": 512,
                "type_vocab_size": 2,
            },
        },
        config={
            "model_type": "bert",
            "hidden_act": "gelu",
            "position_embedding_type": "absolute",
            "is_decoder": False,
            "add_cross_attention": False,
            "tie_word_embeddings": True,
        },
        defaults={
            "vocab_size": 30_522,
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
            "is_decoder": False,
            "add_cross_attention": False,
            "tie_word_embeddings": True,
        },
        same={
            "attention_probs_dropout_prob": "hidden_dropout_prob",
            "classifier_dropout": "hidden_dropout_prob",
        },
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
        present={"lm_head": "cls.predictions.bias"},
        optional={"pooler": "pooler.dense.weight"},
        # the mean of the tokens was never seen by the pooler
        pooling={"mean": {"pool": "avg", "pooler": False}, "cls": {"pool": "token"}},
        architectures={
            "fill-mask": "BertForMaskedLM",
            "text-classification": "BertForSequenceClassification",
            "feature-extraction": "BertModel",
        },
        renames=(
            *(
                zoo.Rename(f"{prefix}{norm}.{source}", f"{norm}.{target}")
                for source, target in (("weight", "weight"), ("bias", "bias"), ("gamma", "weight"), ("beta", "bias"))
                for prefix, norm in _NORMS
            ),
            zoo.Rename("[bert.]pooler", "pooler"),
            zoo.Rename("[bert.]pooler.dense", "head.dense"),  # written alone: a head that had no pooler to begin with
            zoo.Rename("classifier", "head.out"),
            zoo.Rename("[bert.]embeddings", "embeddings"),
            zoo.Rename("[bert.]encoder.layer.{n}", "encoder.layer.{n}"),
        ),
        ignored=("pooler.dense", "cls.seq_relationship", "embeddings.position_ids"),
        twins=(
            zoo.Twin("cls.predictions.decoder.weight", "embeddings.word_embeddings.weight"),
            zoo.Twin("cls.predictions.decoder.bias", "cls.predictions.bias"),
        ),
    ),
)
