# Builds the registry and a small image that runs it:   docker build --tag registry-server .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source

# The packages are restored again only when one of these files changes.
COPY Directory.Build.props Directory.Packages.props .editorconfig ./
COPY src/Registry.Domain/Registry.Domain.csproj src/Registry.Domain/
COPY src/Registry.Application/Registry.Application.csproj src/Registry.Application/
COPY src/Registry.Infrastructure/Registry.Infrastructure.csproj src/Registry.Infrastructure/
COPY src/Registry.Web/Registry.Web.csproj src/Registry.Web/
RUN dotnet restore src/Registry.Web

COPY src src
RUN dotnet publish src/Registry.Web --configuration Release --no-restore --output /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0

# SQLite and libldap are the system's. The data folder exists, so that a new volume on it belongs to the server's user.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libsqlite3-0 libldap2 \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --mode=0700 --owner=1654 --group=1654 /var/lib/registry

COPY --from=build /app /app

# By number: an orchestrator can see that it is not root.
USER 1654:1654
# The base image's own port is cleared: the server knows one setting for that.
ENV ASPNETCORE_HTTP_PORTS= \
    Registry__Listen__0=http://*:5000 \
    Registry__Data=/var/lib/registry
EXPOSE 5000
VOLUME /var/lib/registry
WORKDIR /var/lib/registry

# The start waits for nothing but its database and stores; migrations of a large database may take a while.
HEALTHCHECK --interval=15s --timeout=15s --start-period=60s --retries=3 CMD ["/app/Registry.Web", "health"]
ENTRYPOINT ["/app/Registry.Web"]
