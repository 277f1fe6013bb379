# Tandem in a container, with and without a GPU:
#
#   docker build -t tandem .                              the example and the command, without Go: 150 MB
#   docker run --rm tandem                                multiply_them on the CPU
#   docker run --rm --gpus all tandem                     the same on the GPU
#   docker build -t tandem-test --target test . && docker run --rm tandem-test           make test
#   docker run --rm --gpus all -e TANDEM_DEVICE=gpu tandem-test                           on the GPU as well
#   docker build -t tandem-gl --target gl .               with the libraries through which OpenGL finds the GPU
#
# compose.yaml has the same. With TANDEM_DEVICE=gpu and no GPU the exit status is not zero. The steps are scripts, so that they can
# be tried without a container engine: tools/chroot.sh image does.

# Everything is fetched and built by an ordinary user.
FROM golang:1.26-bookworm AS build
RUN useradd --create-home --home-dir /builder builder && mkdir /src && chown builder /src
WORKDIR /src
USER builder
ENV HOME=/builder
COPY --chown=builder . .
RUN BIN=/builder/bin sh tools/image.sh

FROM build AS test
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics
CMD ["make", "test"]

FROM debian:bookworm-slim AS run
# The container runtime brings libcuda, and OpenGL's driver, for these capabilities.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics
RUN useradd --create-home --home-dir /user user
COPY --from=build /builder/.local/share/tandem /usr/local/share/tandem
COPY --from=build /builder/bin/ /usr/local/bin/
USER user
ENV HOME=/user
WORKDIR /user
CMD ["multiply_them"]

# OpenGL's dispatcher; the runtime adds NVIDIA's driver behind it, Mesa is there for machines without a GPU.
FROM run AS gl
USER root
RUN apt-get update && apt-get install -y --no-install-recommends libegl1 libopengl0 && rm -rf /var/lib/apt/lists/*
USER user

# The default is the last one.
FROM run
