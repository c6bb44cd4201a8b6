"""What was asked, loaded by dlt into parquet files; run by a Python that has dlt, which the project has not.

Takes the question as JSON from standard input; prints records, seconds, CPU seconds and peak MB as one JSON line.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.pulls.asking import pages


def main() -> None:
    """Extract, normalise and load; the rows are counted in the files after the clock."""
    import dlt  # type: ignore[import-not-found]  # not a dependency of the project
    from pyarrow import parquet

    asked = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        target = dlt.destinations.filesystem(bucket_url=Path(folder, "files").as_uri())
        pipeline = dlt.pipeline("pulls", pipelines_dir=f"{folder}/state", destination=target, dataset_name="kept")
        wall, cpu = time.perf_counter(), time.process_time()

        def listed() -> Iterator[Any]:
            for name, rows in pages(asked):
                yield dlt.mark.with_table_name(rows, name)

        pipeline.run(dlt.resource(listed, name="listed"), loader_file_format="parquet")
        seconds, spent = time.perf_counter() - wall, time.process_time() - cpu
        kept = Path(folder, "files", "kept")
        own = [
            f for f in kept.glob("*/*.parquet") if not f.parent.name.startswith("_dlt") and "__" not in f.parent.name
        ]
        records = sum(parquet.ParquetFile(file).metadata.num_rows for file in own)
    # What getrusage tells would include the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    sys.stdout.write(json.dumps({"told": records, "seconds": seconds, "cpu": spent, "peak": peak}) + "\n")


if __name__ == "__main__":
    main()
