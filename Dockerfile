ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv .venv
COPY requirements.lock ./
RUN .venv/bin/python -m pip install --require-hashes -r requirements.lock
COPY . .
RUN .venv/bin/python -m pip install --no-deps --no-build-isolation -e . \
 && .venv/bin/python -m pip uninstall --yes --quiet setuptools pip \
 && .venv/bin/python -m compileall -q -x '[.]venv' . \
 && mkdir /data

FROM ${BASE}
# The root file system may be read-only: the one place written to is the volume. It is the home of a user whom
# /etc/passwd does not name, too.
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/data \
    CATALOGUE_HOST=0.0.0.0 \
    CATALOGUE_DATA_DIR=/data
WORKDIR /app
COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /data /data
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["catalogue", "health", "--ready"]
CMD ["catalogue", "serve"]
