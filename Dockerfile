# The service and its workers. Build: docker build --build-arg TORCH_ARGS="--index-url ADDRESS" -t doceo .
# TORCH_ARGS chooses the build of PyTorch, as in the Makefile: PyTorch's own page gives the address of the CPU build.
FROM python:3.12.11-slim-bookworm AS build
ARG TORCH_ARGS=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/doceo
ENV PATH=/opt/doceo/bin:$PATH
RUN pip install ${TORCH_ARGS} torch==2.13.0
COPY requirements.txt requirements-dev.txt /src/
# the extra `otel`, whose packages the list for developers pins
RUN pip install --no-deps -r /src/requirements.txt \
    && grep ^opentelemetry- /src/requirements-dev.txt > /src/otel-requirements.txt \
    && pip install --no-deps -r /src/otel-requirements.txt
COPY . /src
RUN pip install --no-deps --no-build-isolation /src

FROM python:3.12.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /srv --no-create-home doceo \
    && install -d -o doceo -g doceo -m 0700 /srv/runs /srv/cache
COPY --from=build /opt/doceo /opt/doceo
ENV PATH=/opt/doceo/bin:$PATH DOCEO_CACHE=/srv/cache HF_HOME=/srv/cache/huggingface PYTHONUNBUFFERED=1
WORKDIR /srv
USER 10001
VOLUME ["/srv/runs", "/srv/cache"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["doceo"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000", "--json-logs"]
