# Simulate, train, evaluate, serve: the whole loop on a plain computer, without a robot.
#   docker build -f docker/train.Dockerfile -t oxturn-train .
#   docker run --rm -v "$PWD/out:/data/out" oxturn-train demo --out out/demo
FROM python:3.11-slim-bookworm

RUN apt-get update \
 && apt-get install --yes --no-install-recommends libegl1 libegl-mesa0 libgl1-mesa-dri openssh-server \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/oxturn
# Dependencies first: a change of our code does not install them again.
COPY pyproject.toml requirements.lock README.md LICENSE ./
RUN mkdir foundation && pip install --no-cache-dir -c requirements.lock '.[demo,serve]' && pip uninstall --yes oxturn
COPY foundation foundation
COPY perception perception
COPY navigation navigation
COPY monitoring monitoring
COPY simulation simulation
COPY deploy deploy
COPY oxturn oxturn
RUN pip install --no-cache-dir --no-deps . \
 && useradd --create-home --uid 1000 oxturn && install --directory --owner oxturn /data

USER oxturn
WORKDIR /data
ENV MUJOCO_GL=egl PYTHONUNBUFFERED=1
ENTRYPOINT ["oxturn"]
CMD ["doctor"]
