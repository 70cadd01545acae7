"""Writes the Parquet files of this folder with the programs that people use: pip install pandas pyarrow polars"""
import datetime
import decimal

import numpy
import pandas
import polars
import pyarrow
import pyarrow.parquet

n = 6
columns = {
    "x": numpy.array([0.1, -2.5, 3e300, 5e-324, 0.0, 7.25]),
    "f": numpy.array([0.1, 1, 2, 3, 4, 5], dtype=numpy.float32),
    "i": numpy.arange(n, dtype=numpy.int64) * 10**17,
    "u": numpy.array([1, 2, 3, 4, 5, 2**64 - 1], dtype=numpy.uint64),
    "small": numpy.array([-1, 2, -3, 4, -5, 6], dtype=numpy.int8),
    "b": numpy.array([True, False, True, True, False, False]),
    "word": ["red", "green", "red", "blue", "blue", "red"],
}
frame = pandas.DataFrame(columns, index=pandas.Index([f"r{i}" for i in range(n)], name="row"))
frame.to_parquet("pandas.parquet")
frame.to_csv("frame.csv")
polars.DataFrame(columns).write_parquet("polars.parquet")
table = pyarrow.table({
    **columns,
    "d": pyarrow.array([decimal.Decimal("-1.25"), *map(decimal.Decimal, ["0.10", "2.00", "3.50", "1.00", "99.99"])], pyarrow.decimal128(12, 2)),
    "h": pyarrow.array(numpy.array([0.5, 1.5, -2, 3, 4, 5], dtype=numpy.float16)),
})
pyarrow.parquet.write_table(table, "gzip-v2.parquet", compression="gzip", data_page_version="2.0", row_group_size=4, use_dictionary=["word"])
pyarrow.parquet.write_table(
    pyarrow.table({"x": pyarrow.array([1.5, None, 3.0]), "word": pyarrow.array(["a", "b", None]), "y": [1, 2, 3]}),
    "missing.parquet", compression="zstd",
)
pyarrow.parquet.write_table(
    pyarrow.table({"day": [datetime.date(2020, 1, 1)] * 2, "y": [1, 2], "z": [1.0, 2.0]}), "dates.parquet",
)
pyarrow.parquet.write_table(pyarrow.table({"vector": [[1.0, 2.0], [3.0]], "y": [1, 2]}), "lists.parquet")
