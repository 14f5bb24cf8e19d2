# camcl with PoCL, the OpenCL driver for CPUs, out of the packages that this checkout makes:
#   docker build -t camcl .
#   docker run --rm -v "$PWD:/work" camcl train configs/quickstart.ini
# A GPU needs its vendor's driver inside and the device passed in; docs/ says how.
FROM debian:12-slim AS build
COPY . /src
WORKDIR /src
RUN apt-get update && apt-get install -y --no-install-recommends gcc g++ libc6-dev make cmake dpkg-dev file \
    ocl-icd-opencl-dev opencl-c-headers libclblast-dev libiniparser-dev \
    libpng-dev libjpeg-dev libwebp-dev libexif-dev libarchive-dev libcurl4-openssl-dev nettle-dev
RUN CAMCL_INSTALL=no ./run package

FROM debian:12-slim
COPY --from=build /src/build-packages/packages/*.deb /tmp/packages/
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates pocl-opencl-icd \
    /tmp/packages/camcl_*.deb /tmp/packages/libcamcl0_*.deb && rm -rf /var/lib/apt/lists/* /tmp/packages
# Work, configurations, data and runs are the user's folder; compiled kernels outlive the container where /cache is a volume.
ENV XDG_CACHE_HOME=/cache
WORKDIR /work
RUN mkdir -p /cache && chmod 1777 /cache /work
ENTRYPOINT ["camcl"]
CMD ["--help"]
