"""The record of a run: schema, recorder, gaps, reader, exports."""

from ipch.recording import export, service
from ipch.recording.clock import steady
from ipch.recording.columns import COLUMNS, Column
from ipch.recording.csv_writer import CsvLog
from ipch.recording.export import write_table
from ipch.recording.gaps import BUSY, BusyAlarm, Seen, between
from ipch.recording.past import list_runs
from ipch.recording.reader import TRUTH_NAME, Event, Run, StepSpan, Truth, find_record, load_run, load_truth
from ipch.recording.recorder import Looked, Recorder, look
from ipch.recording.remembered import recall, remember
from ipch.recording.schema import SAMPLE_COLUMNS, open_database
from ipch.recording.texts import Texts, among
from ipch.recording.thinning import Thinning

__all__ = [
    "BUSY", "COLUMNS", "SAMPLE_COLUMNS", "TRUTH_NAME", "BusyAlarm", "Column", "CsvLog", "Event",
    "Looked", "Recorder", "Run", "Seen", "StepSpan", "Texts", "Thinning", "Truth", "among", "between",
    "export", "find_record", "list_runs", "load_run", "load_truth", "look", "open_database", "recall",
    "remember", "service", "steady", "write_table",
]  # fmt: skip
