# One image for every process; what runs is the command's choice:
#   node dist/apps/api/main.js | dist/apps/worker/main.js | dist/apps/admin/main.js | dist/apps/cli/main.js migrate
# All of them must run the same version, so there is nothing to gain from one image each.
ARG NODE=node:22-bookworm-slim

FROM ${NODE} AS build
WORKDIR /dropline
COPY package.json package-lock.json .npmrc ./
# No install scripts: some download from elsewhere, and what we need works without.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# `generate` never runs this engine, but would download it unless an existing file is named.
RUN PRISMA_SCHEMA_ENGINE_BINARY=/usr/local/bin/node CHECKPOINT_DISABLE=1 npx prisma generate \
 && node bin/build.mjs

FROM ${NODE} AS packages
WORKDIR /dropline
COPY package.json package-lock.json .npmrc ./
# Without the optional ones, which for npm include Prisma's command line and the compiler: 250 MB that nothing here runs.
RUN npm ci --omit=dev --omit=optional --omit=peer --ignore-scripts --no-audit --no-fund

FROM ${NODE}
ENV NODE_ENV=production
WORKDIR /dropline
# `#core/*` is looked up in package.json; prisma/ holds the migrations.
COPY package.json ./
COPY --from=packages /dropline/node_modules node_modules
COPY --from=build /dropline/prisma/migrations prisma/migrations
COPY --from=build /dropline/dist dist
# Nothing is written: the file system may be read-only.
USER node
CMD ["node", "dist/apps/api/main.js"]
