# SPDX-License-Identifier: Apache-2.0
"""pandas.dataframe: Parquet where pyarrow is at hand, else CSV and the types beside it."""
import json
import os

# How CSV writes a missing value, so that it stays apart from the empty text.
_NULL = "\\N"


class PandasDataFrame:
    @staticmethod
    def save(value, uri, context):
        import pandas
        if not isinstance(value, pandas.DataFrame):
            raise TypeError("expected a pandas.DataFrame%s"
                            % (": return series.to_frame()" if isinstance(value, pandas.Series) else ""))
        folder = context.scratch.new_folder()
        layout = "parquet" if _has_pyarrow() else "csv"
        (_write_parquet if layout == "parquet" else _write_csv)(value, folder)
        context.storage.put_tree(folder, uri)
        return {"format": layout, "rows": len(value), "columns": len(value.columns)}

    @staticmethod
    def load(uri, context):
        import pandas
        if "data.parquet" in context.storage.names(uri):
            if not _has_pyarrow():
                raise ValueError("it is Parquet, which this Python reads only with pyarrow: install pyarrow")
            return pandas.read_parquet(context.storage.local_copy(uri + "data.parquet"), engine="pyarrow")
        schema = json.loads(context.storage.read(uri + "schema.json").decode("utf-8"))
        return _read_csv(context.storage.local_copy(uri + "data.csv"), schema)


def _has_pyarrow():
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        return False
    return True


def _write_parquet(frame, folder):
    frame.to_parquet(os.path.join(folder, "data.parquet"), engine="pyarrow")


def _write_csv(frame, folder):
    """The index becomes the first columns; schema.json says which they are."""
    names = [name for name in frame.index.names]
    flat = frame.reset_index(names=["__index_%d__" % i for i in range(len(names))])
    schema = {"index": names, "columns": [
        {"name": str(name), "dtype": str(dtype)} for name, dtype in flat.dtypes.items()]}
    flat.to_csv(os.path.join(folder, "data.csv"), index=False, na_rep=_NULL)
    with open(os.path.join(folder, "schema.json"), "w", encoding="utf-8") as stream:
        json.dump(schema, stream, ensure_ascii=False, indent=2)


def _read_csv(path, schema):
    import pandas
    types = {column["name"]: column["dtype"] for column in schema["columns"]}
    dates = [name for name, dtype in types.items() if dtype.startswith("datetime64")]
    frame = pandas.read_csv(path, keep_default_na=False, na_values=[_NULL], parse_dates=dates,
                            dtype={name: types[name] for name in types if name not in dates})
    index = list(frame.columns[:len(schema["index"])])
    return frame.set_index(index).rename_axis(schema["index"]) if index else frame
