# The worker. From the repository's root:
#   docker build -f ops/docker/Worker.Dockerfile -t fraudscoring/worker --build-arg COMMIT="$(git rev-parse HEAD)" .
# The final image is Microsoft's chiseled one: glibc (librdkafka and ONNX Runtime need it), no shell, no package manager, user 1654.
# The lock files name linux-x64; on another machine build with --platform linux/amd64.
ARG DOTNET=10.0

FROM mcr.microsoft.com/dotnet/sdk:${DOTNET}-noble AS build
WORKDIR /source
# Packages first: this layer is made anew only when a package changes.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig .globalconfig ./
COPY src/Scoring.Models/Scoring.Models.csproj src/Scoring.Models/packages.lock.json src/Scoring.Models/
COPY src/Scoring.Trainer/Scoring.Trainer.csproj src/Scoring.Trainer/packages.lock.json src/Scoring.Trainer/
COPY src/Scoring.Worker/Scoring.Worker.csproj src/Scoring.Worker/packages.lock.json src/Scoring.Worker/
RUN dotnet restore src/Scoring.Worker --locked-mode -p:PublishReadyToRun=true
COPY definitions definitions
COPY src src
ARG COMMIT=unknown
# Natives of other systems are left out. Of librdkafka's builds the one without libsasl2 stays: chiseled images lack that library, and
# only Kerberos (GSSAPI) needs it; TLS, PLAIN, SCRAM and OAUTHBEARER are all there. /data and /checkpoints are there so that volumes mounted over them belong to the image's user.
# Compiled ahead of time (ReadyToRun): a worker that starts again answers a second sooner; what runs often is compiled once more while it runs.
RUN dotnet publish src/Scoring.Worker --configuration Release --no-restore --output /app -p:PublishReadyToRun=true -p:SourceRevisionId="$COMMIT" \
 && rm -f /app/librdkafka.so /app/alpine-librdkafka.so /app/onnxruntime*.dll /app/onnxruntime*.lib /app/*.pdb /app/*.xml /app/Scoring.Trainer* \
 && chmod -R a+rX /app && mkdir /data /checkpoints

FROM mcr.microsoft.com/dotnet/aspnet:${DOTNET}-noble-chiseled
WORKDIR /app
COPY --from=build /app .
COPY LICENSE .
COPY --from=build --chown=1654:1654 /data /data
COPY --from=build --chown=1654:1654 /checkpoints /checkpoints
# ONNX Runtime's telemetry is off in the program too; DOTNET_EnableDiagnostics=0 because the root file system may be read-only.
ENV Operations__Http=0.0.0.0:9464 \
    ORT_DISABLE_TELEMETRY=1 \
    DOTNET_EnableDiagnostics=0
EXPOSE 9464
USER 1654
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["dotnet", "Scoring.Worker.dll", "health", "live"]
ENTRYPOINT ["dotnet", "Scoring.Worker.dll"]
CMD ["run", "--help"]
