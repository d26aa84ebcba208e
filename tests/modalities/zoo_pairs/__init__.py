"""Users and items for zoo: who took what, and what they may want next."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_modalities() -> Iterator[zoo.ModalitySpec]:
    yield zoo.ModalitySpec(
        name="preferences",
        summary="Pairs of a user and an item, in the order in which they came: CSV",
        target="zoo_pairs.modality:modality",
        record="zoo_pairs.items:ItemsRecord",
        unit="users",
        example="PAIRS.csv --user NAME",
        files=("items.json",),
        suffixes=(".csv",),
        targets=("next",),
        capabilities=("rank",),
        grows=("num_items",),
        data_options="zoo_pairs.items:Columns",
    )


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    yield zoo.ModelSpec(
        name="item_net",
        family="pairs",
        summary="The mean of what a user took, and what lies near it",
        target="zoo_pairs.model:ItemNet",
        modality="preferences",
        task="item-ranking",
        capabilities=("rank",),
        limits={"num_items": 1_000_000, "width": 1024},
        parameters=1248,
        recipe="masked_items",
    )


@zoo.hookimpl
def zoo_recipes() -> Iterator[zoo.RecipeSpec]:
    yield zoo.RecipeSpec(
        name="masked_items",
        stage="pretrain",
        summary="Find the item that was taken out of what a user took",
        target="zoo_pairs.recipes:MaskedItems",
        settings="zoo_pairs.settings:MaskedSettings",
        task="item-ranking",
        score="ndcg@10",
        higher_is_better=True,
        modality=None,
        requires=("rank",),
    )
    yield zoo.RecipeSpec(
        name="next_pair",
        stage="finetune",
        summary="Find the item that came last from those before it",
        target="zoo_pairs.recipes:NextItem",
        settings="zoo_pairs.settings:NextSettings",
        task="item-ranking",
        score="ndcg@10",
        higher_is_better=True,
        modality="preferences",
        requires=("rank",),
    )


@zoo.hookimpl
def zoo_tasks() -> Iterator[zoo.TaskSpec]:
    yield zoo.TaskSpec(
        name="item-ranking",
        summary="Rank the items that a user has not taken",
        recipe="next_pair",
        score="ndcg@10",
        modality="preferences",
        learns_from="next",
        hub_tag="",
        options=(
            zoo.OptionSpec(name="user", summary="Rank for this user alone; may be repeated.", multiple=True),
            zoo.OptionSpec(name="top", short="k", summary="How many items are listed.", type="integer"),
        ),
        network="zoo_pairs.model:Ranker",
        predictor="zoo_pairs.predictor:Ranks",
    )


@zoo.hookimpl
def zoo_datasets() -> Iterator[zoo.DatasetSpec]:
    yield zoo.DatasetSpec(
        name="pairs",
        summary="300 users of 60 items in 6 genres, made by a seed",
        target="zoo_pairs.data:pairs",
        modality="preferences",
        task="item-ranking",
        license="CC0-1.0",
    )
