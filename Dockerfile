# One image for portal, worker and scheduler. Not built where it was written: see docs/deploy.md.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONPATH=/app YINJI_DATA=/data YINJI_ENV=production NUMBA_CACHE_DIR=/data/cache/numba
RUN useradd --system --uid 10001 --home-dir /data yinji && install -d -o yinji -g yinji -m 700 /data

WORKDIR /app
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/build.txt \
 && pip install --no-cache-dir --require-hashes --no-deps --no-build-isolation --use-pep517 -r requirements/runtime.txt

# No requirements/ beside the packages from here on: `python -m service` then starts at once instead of making a .venv.
RUN rm -r requirements && printf '#!/bin/sh\nexec python -m service.cli "$@"\n' > /usr/local/bin/yinji && chmod 755 /usr/local/bin/yinji
COPY service service
COPY workers workers
COPY templates templates

USER yinji
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["yinji"]
CMD ["run", "--only", "portal", "--host", "0.0.0.0"]
