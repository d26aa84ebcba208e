"""Recommendations for zoo: users, items, and what may come next."""

from collections.abc import Iterator
from functools import partial

import zoo

_TASK = "recommendation"
_SCORE = "ndcg"
_MODALITY = "interactions"
_ITEMS = {"items": 10_000_000}
_PAIRS = {**_ITEMS, "users": 100_000_000, "width": 4096}

_model = partial(zoo.ModelSpec, family="recsys", modality=_MODALITY, task=_TASK)
_recipe = partial(zoo.RecipeSpec, task=_TASK, score=_SCORE, higher_is_better=True, modality=_MODALITY, stage="pretrain")
_baseline = partial(
    _model, capabilities=("features", "solve"), limits=_ITEMS, parameters=1_000_000, recipe="closed_form"
)
_factorization = partial(
    _model,
    target="zoo_recsys.factorization:Factorization",
    capabilities=("features", "pairs"),
    limits=_PAIRS,
    recipe="pairwise",
)


@zoo.hookimpl
def zoo_modalities() -> Iterator[zoo.ModalitySpec]:
    yield zoo.ModalitySpec(
        name=_MODALITY,
        summary="Who met what: tables of users and items, with ratings and times where there are any",
        target="zoo_recsys.modality:modality",
        record="zoo_recsys.vocabulary:VocabularyRecord",
        unit="users",
        example="--history ITEM,ITEM",
        files=("items.json", "users.json"),
        suffixes=(".csv", ".tsv", ".inter", ".parquet"),
        typed="options",
        targets=("items",),
        capabilities=("features", "embed", "reconstruct", "language-model", "solve", "pairs"),
        grows=("items", "users"),
        data_options="zoo_recsys.options:InteractionOptions",
    )


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    yield _baseline(
        name="popularity",
        summary="The most popular items, the same for everybody: a baseline",
        target="zoo_recsys.baselines:Popularity",
        parameters=1000,
    )
    yield _baseline(
        name="item_knn",
        summary="Items whose users are the same (Sarwar et al., 2001): a baseline",
        target="zoo_recsys.baselines:ItemKNN",
        limits={**_ITEMS, "neighbors": 10_000_000},
    )
    yield _baseline(
        name="ease",
        summary="EASE: ridge regression of each item on all others (Steck, 2019): a baseline that is hard to beat",
        target="zoo_recsys.baselines:EASE",
    )
    yield _factorization(
        name="bpr_mf",
        summary="Matrix factorization with Bayesian personalized ranking (BPR-MF; Rendle et al., 2009)",
        arguments={"layers": 0, "biased": True},
        parameters=71_400,
    )
    yield _factorization(
        name="lightgcn",
        summary="LightGCN: a factorization spread over the graph of users and items (He et al., 2020)",
        arguments={"layers": 3, "biased": False},
        parameters=70_400,
    )
    yield _model(
        name="mult_vae",
        summary="Mult-VAE: a variational autoencoder of histories (Liang et al., 2018)",
        target="zoo_recsys.vae:MultVAE",
        capabilities=("features", "embed", "reconstruct"),
        limits={**_ITEMS, "hidden_size": 65_536, "code_size": 65_536},
        parameters=1_562_600,
        recipe="multinomial",
    )
    yield _model(
        name="sasrec",
        summary="SASRec: a causal transformer over what a user met (Kang and McAuley, 2018)",
        target="zoo_recsys.sasrec:SASRec",
        capabilities=("features", "language-model"),
        limits={**_ITEMS, "max_items": 65_536, "width": 4096, "depth": 64, "heads": 64},
        parameters=177_896,
        recipe="next_item",
    )


@zoo.hookimpl
def zoo_recipes() -> Iterator[zoo.RecipeSpec]:
    for name, kind, requires, summary in (
        ("closed_form", "ClosedForm", "solve", "Solve a model at once, without steps"),
        ("multinomial", "Multinomial", "reconstruct", "Give back masked items of a history (Liang et al., 2018)"),
        (
            "next_item",
            "NextItem",
            "language-model",
            "Tell the next item from drawn ones (gSASRec; Petrov et al., 2023)",
        ),
        ("pairwise", "Pairwise", "pairs", "Rank an item of a user above a drawn one (BPR; Rendle et al., 2009)"),
    ):
        yield _recipe(
            name=name,
            summary=summary,
            target=f"zoo_recsys.recipes:{kind}",
            settings=f"zoo_recsys.settings:{kind}Settings",
            requires=(requires,),
        )
    yield _recipe(
        name="recommendation",
        stage="finetune",
        summary="Go on with other users and their items, by what the model was pretrained by",
        target="zoo_recsys.recipes:recommendation",
        settings="zoo_recsys.settings:RecommendationSettings",
        requires=("features",),
    )


@zoo.hookimpl
def zoo_tasks() -> Iterator[zoo.TaskSpec]:
    yield zoo.TaskSpec(
        name=_TASK,
        summary="Recommend items to users, or beside other items",
        recipe="recommendation",
        score=_SCORE,
        modality=_MODALITY,
        learns_from="items",
        hub_tag="",
        options=(
            zoo.OptionSpec(name="user", summary="Recommend to this user; may be repeated.", multiple=True),
            zoo.OptionSpec(
                name="history", summary="Recommend to one who has ITEM,ITEM: names or titles.", multiple=True
            ),
            zoo.OptionSpec(name="like", summary="List items like this one: a name or a title.", multiple=True),
            zoo.OptionSpec(name="all-users", summary="Recommend to all users, into --out FILE.parquet.", type="flag"),
            zoo.OptionSpec(name="k", short="k", summary="How many items; default: 10.", type="integer"),
            zoo.OptionSpec(name="seen", summary="List what a user has, too.", type="flag"),
            zoo.OptionSpec(name="data", summary="Where users' histories are; default: what was trained on."),
            zoo.OptionSpec(name="data-dir", summary="Where the files of --data lie.", type="path"),
        ),
    )


@zoo.hookimpl
def zoo_datasets() -> Iterator[zoo.DatasetSpec]:
    yield zoo.DatasetSpec(
        name="ml_100k",
        summary="MovieLens 100K as the wheel of RecBole ships it: 943 users, 1,682 films, 100,000 ratings",
        target="zoo_recsys.movielens:ml_100k",
        modality=_MODALITY,
        task=_TASK,
        license="other",
    )
