"""The job as a plain pandas script: everything anew each time."""

import sys
from pathlib import Path

import pandas as pd
from rules import to_clean, to_features, to_label

folder = Path(sys.argv[1])
files = sorted(folder.glob("inbox/*.csv"))
frame = pd.concat([pd.read_csv(file, dtype=str, keep_default_na=False) for file in files], ignore_index=True)
frame["clean"] = [to_clean(text) for text in frame["text"]]
frame[["words", "digest"]] = [to_features(clean) for clean in frame["clean"]]
frame["label"] = [to_label(clean, words) for clean, words in zip(frame["clean"], frame["words"], strict=True)]
fixes = folder / "fixes.csv"
if fixes.exists():
    for fix in pd.read_csv(fixes, dtype=str).itertuples():
        frame.loc[frame["id"] == fix.id, "label"] = fix.label
frame.to_parquet(folder / "records.parquet")
counts = frame.groupby("label").agg(n=("label", "size"), words=("words", "sum")).reset_index()
counts.to_csv(folder / "per_label.csv", index=False)
