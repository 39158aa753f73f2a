"""What a record says: functions of arrays, without files or devices."""
