# The robot's daemon for those who prefer a container to the wheel set: arm64, no torch, no simulator.
#   docker buildx build --platform linux/arm64 -f docker/robot.Dockerfile -t oxturn-robot .
FROM python:3.11-slim-bookworm

WORKDIR /opt/oxturn
COPY pyproject.toml requirements.lock README.md LICENSE ./
RUN mkdir foundation && pip install --no-cache-dir --only-binary=:all: -c requirements.lock 'setuptools>=77' wheel \
 && pip install --no-cache-dir --no-build-isolation -c requirements.lock '.[robot]' && pip uninstall --yes oxturn
COPY foundation foundation
COPY perception perception
COPY navigation navigation
COPY monitoring monitoring
COPY simulation simulation
COPY deploy deploy
COPY oxturn oxturn
# The daemon needs the serial ports and the GPIO, not root.
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
 && useradd --create-home --uid 1000 --groups dialout,video oxturn \
 && install --directory --owner oxturn /var/lib/oxturn /etc/oxturn

USER oxturn
ENV PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 NUMBA_CACHE_DIR=/var/lib/oxturn/numba
VOLUME /var/lib/oxturn
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9108/metrics', timeout=3)"]
ENTRYPOINT ["oxturn", "robotd"]
CMD ["--config", "/etc/oxturn/robot.toml"]
