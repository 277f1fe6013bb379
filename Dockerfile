# Tandem in a container, with and without a GPU:
#
#   docker build -t tandem .
#   docker run --rm tandem                          multiply_them on the CPU
#   docker run --rm --gpus all tandem               the same on the GPU
#   docker run --rm --gpus all -e TANDEM_DEVICE=gpu tandem make test
#
# With TANDEM_DEVICE=gpu and no GPU the exit status is not zero.
FROM golang:1.26-bookworm
# The container runtime brings libcuda for these capabilities.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
WORKDIR /src
COPY . .
# The steps are a script, so that they can be tried without a container engine: tools/chroot.sh does.
RUN sh tools/image.sh
CMD ["multiply_them"]
