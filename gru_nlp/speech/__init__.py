"""Recorded speech: files to waveforms, waveforms to frames; numpy alone, and what reads files where files are read."""
