"""Drivers of real instruments, one file a device. Each always speaks the device's own protocol."""
