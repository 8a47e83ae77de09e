# Airflow with our DAGs and everything their jobs call; the same image is scheduler, web server and Celery worker.
#   docker build -f docker/airflow.Dockerfile -t oxturn-airflow .
FROM python:3.11-slim-bookworm

RUN apt-get update \
 && apt-get install --yes --no-install-recommends libegl1 libegl-mesa0 libgl1-mesa-dri \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/oxturn
COPY pyproject.toml requirements.lock README.md LICENSE docker/airflow-workers.txt ./
RUN mkdir foundation \
 && pip install --no-cache-dir -c requirements.lock '.[train,ota,sim,airflow]' -r airflow-workers.txt \
 && pip uninstall --yes oxturn
COPY foundation foundation
COPY perception perception
COPY navigation navigation
COPY monitoring monitoring
COPY simulation simulation
COPY deploy deploy
COPY oxturn oxturn
COPY dags dags
RUN pip install --no-cache-dir --no-deps . \
 && useradd --create-home --uid 1000 oxturn && install --directory --owner oxturn /opt/airflow /data

USER oxturn
ENV AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/oxturn/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION=False
ENTRYPOINT ["airflow"]
CMD ["version"]
