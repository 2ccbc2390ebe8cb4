# The trainer. From the repository's root:
#   docker build -f ops/docker/Trainer.Dockerfile -t fraudscoring/trainer --build-arg COMMIT="$(git rev-parse HEAD)" .
# As the worker's: chiseled, glibc, user 1654. History, packages and keys live under /data.
ARG DOTNET=10.0

FROM mcr.microsoft.com/dotnet/sdk:${DOTNET}-noble AS build
WORKDIR /source
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig .globalconfig ./
COPY src/Scoring.Models/Scoring.Models.csproj src/Scoring.Models/packages.lock.json src/Scoring.Models/
COPY src/Scoring.Trainer/Scoring.Trainer.csproj src/Scoring.Trainer/packages.lock.json src/Scoring.Trainer/
RUN dotnet restore src/Scoring.Trainer --locked-mode
COPY definitions definitions
COPY src/Scoring.Models src/Scoring.Models
COPY src/Scoring.Trainer src/Scoring.Trainer
ARG COMMIT=unknown
RUN dotnet publish src/Scoring.Trainer --configuration Release --no-restore --output /app -p:SourceRevisionId="$COMMIT" \
 && rm -f /app/librdkafka.so /app/alpine-librdkafka.so /app/onnxruntime*.dll /app/onnxruntime*.lib /app/*.pdb /app/*.xml \
 && cp -r definitions /app/definitions && chmod -R a+rX /app && mkdir /data

FROM mcr.microsoft.com/dotnet/aspnet:${DOTNET}-noble-chiseled
WORKDIR /app
COPY --from=build /app .
COPY LICENSE .
COPY --from=build --chown=1654:1654 /data /data
ENV ORT_DISABLE_TELEMETRY=1 \
    DOTNET_EnableDiagnostics=0
USER 1654
STOPSIGNAL SIGTERM
ENTRYPOINT ["dotnet", "Scoring.Trainer.dll"]
CMD ["--help"]
