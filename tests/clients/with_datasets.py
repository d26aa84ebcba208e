"""datasets: push, load, stream."""

import sys
from importlib.metadata import version

import datasets
import pandas
from datasets import Dataset, DatasetDict, load_dataset
from huggingface_hub import HfApi

cache = f"{sys.argv[1]}/cache"
print(f"datasets {version('datasets')}, huggingface_hub {version('huggingface_hub')}")
datasets.disable_progress_bars()
rows = {"text": [f"line {number}" for number in range(5000)], "label": [number % 4 for number in range(5000)]}
whole = Dataset.from_dict(rows)
DatasetDict({"train": whole, "test": whole.select(range(100))}).push_to_hub("org/data")
print("  push_to_hub")
loaded = load_dataset("org/data", cache_dir=cache)
assert (loaded["train"].num_rows, loaded["test"].num_rows) == (5000, 100)
assert loaded["train"][4999] == {"text": "line 4999", "label": 3}
print("  load_dataset")
first = list(load_dataset("org/data", split="train", streaming=True).take(3))
assert first[2] == {"text": "line 2", "label": 2}
print("  streaming")
whole.select(range(1)).push_to_hub("org/data", split="train")
assert load_dataset("org/data", split="train", cache_dir=cache).num_rows == 1
print("  push again")
path = next(path for path in HfApi().list_repo_files("org/data", repo_type="dataset") if "test" in path)
assert len(pandas.read_parquet(f"hf://datasets/org/data/{path}")) == 100
print("  fsspec hf://")
print("all steps passed")
