# dfgui in a container, for a Hugging Face Space or any machine with Docker.
#
#   docker build -t dfgui .                            NVIDIA GPUs, with Unsloth; about 9 GB
#   docker build -t dfgui --build-arg TORCH=cpu .     no GPU; about 2 GB
#   docker run --gpus all -p 7860:7860 -v dfgui:/home/user/dfgui \
#     -e DFGUI_USERNAME=ada -e DFGUI_PASSWORD=... --stop-timeout 40 dfgui
#
# In a Space, a variable named TORCH is the build argument.

FROM python:3.11-slim
ARG TORCH=cuda

# Triton and Unsloth compile kernels while they train.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*

# Spaces run as user 1000. The code below is root's and read-only; only the home is this user's.
RUN useradd --create-home --uid 1000 user

ENV PIP_NO_CACHE_DIR=1 \
    PYTHONUNBUFFERED=1 \
    VIRTUAL_ENV=/opt/venv \
    PATH=/opt/venv/bin:$PATH
RUN python -m venv /opt/venv

WORKDIR /app
COPY requirements.txt requirements-unsloth.txt ./
RUN if [ "$TORCH" = cpu ]; then \
      pip install uv && uv pip install --no-cache --torch-backend=cpu -r requirements.txt; \
    else \
      pip install -r requirements.txt "bitsandbytes==0.50.2"; \
    fi
RUN if [ "$TORCH" != cpu ]; then pip install --no-deps -r requirements-unsloth.txt; fi

COPY app.py README.md LICENSE ./
COPY dfgui dfgui
RUN python -m compileall -q app.py dfgui

USER 1000
ENV HOME=/home/user \
    DFGUI_HOME=/home/user/dfgui \
    DFGUI_CONTAINER=1
RUN mkdir -p /home/user/dfgui

EXPOSE 7860
HEALTHCHECK --start-period=60s --interval=60s --timeout=10s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/', timeout=8)"]
CMD ["python", "app.py", "--host", "0.0.0.0", "--port", "7860"]
