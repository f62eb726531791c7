# Disgram as an image: `docker compose up` (compose.yaml), or
#   docker build -t disgram . && docker run --env-file .env -v disgram:/data -p 127.0.0.1:5000:5000 disgram
# Nothing here is compiled or fetched but by pip and apt, so it builds on arm64 as on amd64.
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
# Debian's own python3 lacks ensurepip; the default base needs nothing.
# hadolint ignore=DL3008
RUN python3 -c 'import ensurepip' 2>/dev/null \
    || { apt-get update && apt-get install -y --no-install-recommends python3-venv && rm -rf /var/lib/apt/lists/*; }
RUN python3 -m venv /opt/disgram
# The libraries change less often than the code: a layer of their own.
COPY requirements*.txt /src/
RUN /opt/disgram/bin/python -m pip install --no-cache-dir --disable-pip-version-check -r /src/requirements.txt
# "account", "hosts" or both: what private channels and DATABASE_URL need.
ARG EXTRAS=""
RUN for extra in ${EXTRAS}; do \
        /opt/disgram/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
            -r "/src/requirements-${extra}.txt" || exit 1; \
    done
COPY . /src
RUN /opt/disgram/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps /src \
    && /opt/disgram/bin/python -m pip uninstall -y pip setuptools

FROM ${BASE}
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin disgram \
    && install -d -m 700 -o disgram -g disgram /data
COPY --from=build /opt/disgram /opt/disgram
# TMPDIR: files of posts on their way go to the volume, so that the root may be read-only and no tmpfs takes memory.
ENV PATH=/opt/disgram/bin:$PATH \
    DATA_DIR=/data \
    HOME=/data \
    TMPDIR=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
VOLUME /data
EXPOSE 5000
# Degraded is not unhealthy: a channel in trouble is no reason to replace the container.
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s CMD ["disgram", "health"]
# As PID 1 `disgram run` is a small process that passes signals on and reaps orphans; the service is its child.
ENTRYPOINT ["disgram"]
CMD ["run"]
