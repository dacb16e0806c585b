"""TensorRT on an NVIDIA GPU: building engines, keeping them, running them.

Nothing here imports TensorRT or CUDA before it is used, and TensorRT is never touched before
`device.probe_device` has found a GPU: without one, its runtime crashes the process.
"""
