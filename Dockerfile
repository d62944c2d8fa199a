# One image serves every process, as all of them must run the same version. The command chooses the process:
#
#   node dist/apps/api/main.js
#   node dist/apps/worker/main.js
#   node dist/apps/admin/main.js
#   node dist/apps/cli/main.js migrate

# A tag can move, and a digest cannot.
ARG NODE=node:22-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c

FROM ${NODE} AS build
WORKDIR /dropline
COPY package.json package-lock.json .npmrc ./
# No install scripts: some of them download files, and no package needs its script here.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# `generate` never runs the schema engine, but downloads one unless this variable names an existing file.
RUN PRISMA_SCHEMA_ENGINE_BINARY=/usr/local/bin/node CHECKPOINT_DISABLE=1 npx prisma generate \
 && node bin/build.mjs

FROM ${NODE} AS packages
WORKDIR /dropline
COPY package.json package-lock.json .npmrc ./
# Without optional and peer packages: Prisma's command line and the compiler are 250 MB that no process runs.
RUN npm ci --omit=dev --omit=optional --omit=peer --ignore-scripts --no-audit --no-fund

FROM ${NODE}
ENV NODE_ENV=production
WORKDIR /dropline
# package.json resolves `#core/*`, and the command `migrate` reads prisma/migrations.
COPY package.json ./
COPY --from=packages /dropline/node_modules node_modules
COPY --from=build /dropline/prisma/migrations prisma/migrations
COPY --from=build /dropline/dist dist
# The processes write no file, so the file system may be read-only.
USER node
CMD ["node", "dist/apps/api/main.js"]
