"""Run by the environment that has lifetimes: the sample and its summary, as NDJSON.

usage: lifetimes_summary.py purchases | summary
"""
import json
import pathlib
import sys

import lifetimes
import pandas
from lifetimes.utils import summary_data_from_transaction_data

SAMPLE = pathlib.Path(lifetimes.__file__).parent / "datasets" / "CDNOW_sample.txt"


def purchases():
    """As they are in the file: id in the master set, id in the sample, day, CDs, dollars."""
    return pandas.read_csv(SAMPLE, sep=r"\s+", header=None, names=["customer", "sample_id", "day", "items", "amount"],
                           dtype={"customer": str, "day": str})


def main():
    table = purchases()
    if sys.argv[1] == "purchases":
        for row in table.itertuples():
            print(json.dumps({"customer": row.customer, "day": row.day, "items": row.items, "amount": row.amount}))
        return
    table["date"] = pandas.to_datetime(table["day"], format="%Y%m%d")
    summary = summary_data_from_transaction_data(table, "customer", "date", monetary_value_col="amount", freq="D")
    for customer, row in summary.iterrows():
        print(json.dumps({"customer": customer, "repeat_days": row["frequency"], "recency_days": row["recency"],
                          "tenure_days": row["T"], "spend": row["monetary_value"]}))


main()
