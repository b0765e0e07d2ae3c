# What a deployment decides for itself. The first three have no default.

variable "project" {
  description = "Id of the Google Cloud project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "This is the id of the project, such as `acme-registry`, not its name or number."
  }
}

variable "host" {
  description = "Host name of the registry. The names `api.` and `npm.` below it answer as well, and all three need an A record."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.host))
    error_message = "This is a host name in lower case, such as `registry.example.org`, without a scheme and without a path."
  }
}

variable "image" {
  description = "Container image of Slipway, with a tag or a digest. A tag that never moves makes a deployment repeatable."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]+/[^:@]+(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})$", var.image))
    error_message = "This is a whole reference, such as `europe-west1-docker.pkg.dev/PROJECT/slipway/slipway:0.1.0`."
  }
}

variable "name" {
  description = "What the names of all resources begin with."
  type        = string
  default     = "slipway"

  # The id of a service account has at most 30 characters, and `-database` is one of the endings.
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}[a-z0-9]$", var.name))
    error_message = "A name has 2 to 21 lower case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "region" {
  description = "Region of everything but the edge, which is everywhere."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "This is a region, such as `europe-west1`, not a zone."
  }
}

variable "zone" {
  description = "Zone of the machine that runs RabbitMQ."
  type        = string
  default     = "europe-west1-b"

  validation {
    condition     = can(regex("^${var.region}-[a-z]$", var.zone))
    error_message = "The zone has to be one of the region, such as `europe-west1-b` for `europe-west1`."
  }
}

variable "network_range" {
  description = "Private addresses of the queue and of the instances of both roles, in CIDR notation. Cloud Run wants at least a /26."
  type        = string
  default     = "10.64.0.0/24"

  validation {
    condition     = can(cidrhost(var.network_range, 63)) && can(regex("^(10|172|192)\\.", var.network_range))
    error_message = "This is a range of private IPv4 addresses with at least 64 of them, such as `10.64.0.0/24`."
  }
}

variable "database_version" {
  description = "Version of PostgreSQL, as Cloud SQL names it."
  type        = string
  default     = "POSTGRES_17"

  validation {
    condition     = contains(["POSTGRES_15", "POSTGRES_16", "POSTGRES_17"], var.database_version)
    error_message = "Slipway is run on PostgreSQL 15 to 17: `POSTGRES_15`, `POSTGRES_16` or `POSTGRES_17`."
  }
}

variable "database_tier" {
  description = "Machine of the database: `db-custom-CORES-MEGABYTES`. It is paid for around the clock."
  type        = string
  default     = "db-custom-1-3840"

  validation {
    condition     = can(regex("^db-custom-[0-9]+-[0-9]+$", var.database_tier))
    error_message = "This is a machine with cores and megabytes of its own, such as `db-custom-1-3840`."
  }
}

variable "database_availability" {
  description = "`ZONAL` for one machine, `REGIONAL` for a second one in another zone that takes over, which doubles the price."
  type        = string
  default     = "ZONAL"

  validation {
    condition     = contains(["ZONAL", "REGIONAL"], var.database_availability)
    error_message = "This is `ZONAL` or `REGIONAL`."
  }
}

variable "database_disk_gb" {
  description = "Disk of the database in gigabytes. It grows by itself and never shrinks."
  type        = number
  default     = 10

  validation {
    condition     = var.database_disk_gb >= 10 && floor(var.database_disk_gb) == var.database_disk_gb
    error_message = "The disk has at least 10 gigabytes, and a whole number of them."
  }
}

variable "database_backups" {
  description = "How many daily backups are kept. The log for recovery to any point in time is kept for seven days."
  type        = number
  default     = 14

  validation {
    condition     = var.database_backups >= 7 && var.database_backups <= 365
    error_message = "Keep 7 to 365 backups: fewer would not reach back as far as the log does."
  }
}

variable "database_connections" {
  description = "Connections that one process opens to the database."
  type        = number
  default     = 8

  # While a new revision takes over, instances of the old one are still there.
  validation {
    condition     = var.database_connections >= 1 && 2 * (var.api_instances_max + var.worker_instances) * var.database_connections <= 90
    error_message = "Twice the instances of both roles, times this number, must stay within 90: the database takes 100 connections."
  }
}

variable "queue_machine" {
  description = "Machine of RabbitMQ. Messages are ids of jobs, so a small one rings for many workers."
  type        = string
  default     = "e2-small"

  validation {
    condition     = can(regex("^[a-z][0-9][a-z]*-[a-z0-9-]+$", var.queue_machine))
    error_message = "This is a machine type of Compute Engine for x86, such as `e2-small`."
  }
}

variable "queue_disk_gb" {
  description = "Disk of RabbitMQ in gigabytes."
  type        = number
  default     = 10

  validation {
    condition     = var.queue_disk_gb >= 10 && floor(var.queue_disk_gb) == var.queue_disk_gb
    error_message = "The disk has at least 10 gigabytes, and a whole number of them."
  }
}

variable "api_instances_min" {
  description = "Instances of the API that always run. With 0 the first request after a pause waits for a start."
  type        = number
  default     = 1

  validation {
    condition     = var.api_instances_min >= 0 && var.api_instances_min <= var.api_instances_max
    error_message = "This is 0 or more, and not above `api_instances_max`."
  }
}

variable "api_instances_max" {
  description = "The most instances of the API, however many requests come."
  type        = number
  default     = 4

  validation {
    condition     = var.api_instances_max >= 1 && var.api_instances_max <= 100
    error_message = "This is 1 to 100."
  }
}

variable "worker_instances" {
  description = "Instances of the worker, which run around the clock."
  type        = number
  default     = 1

  validation {
    condition     = var.worker_instances >= 1 && var.worker_instances <= 100
    error_message = "This is 1 to 100: without a worker nothing is ever published."
  }
}

variable "worker_cpu" {
  description = "Cores of one worker. It analyses as many packages at a time, at most four."
  type        = number
  default     = 2

  validation {
    condition     = contains([1, 2, 4, 8], var.worker_cpu)
    error_message = "Cloud Run has instances with 1, 2, 4 or 8 cores."
  }
}

variable "worker_memory_gb" {
  description = "Memory of one worker in gibibytes. Each package under analysis may take 768 MiB."
  type        = number
  default     = 4

  validation {
    condition     = var.worker_memory_gb >= min(var.worker_cpu, 4) + 1 && var.worker_memory_gb <= 32
    error_message = "A worker needs a gibibyte for each package it analyses at a time, and one besides; Cloud Run gives at most 32."
  }
}

variable "passwords_version" {
  description = "Raise it by one to give the database and the queue new passwords."
  type        = number
  default     = 1

  validation {
    condition     = var.passwords_version >= 1 && floor(var.passwords_version) == var.passwords_version
    error_message = "This is a whole number from 1 on."
  }
}

variable "signing_key_version" {
  description = "Raise it by one to sign npm versions with a new key. What was signed before stays signed."
  type        = number
  default     = 1

  validation {
    condition     = var.signing_key_version >= 1 && floor(var.signing_key_version) == var.signing_key_version
    error_message = "This is a whole number from 1 on."
  }
}

variable "identity_providers" {
  description = "Where people sign in: SLIPWAY_IDENTITY_PROVIDER as README.md has it, \"kind=github&client_id=…&client_secret=…\", separated by commas. It is read when identity_providers_version is raised, and kept in Secret Manager alone."
  type        = string
  default     = ""
  ephemeral   = true

  validation {
    condition     = var.identity_providers == "" || strcontains(var.identity_providers, "client_id=")
    error_message = "This is what the query of an address looks like, with a client_id for each provider."
  }
}

variable "identity_providers_version" {
  description = "Raise it by one, with identity_providers set, to have people sign in elsewhere."
  type        = number
  default     = 1

  validation {
    condition     = var.identity_providers_version >= 1 && floor(var.identity_providers_version) == var.identity_providers_version
    error_message = "This is a whole number from 1 on."
  }
}

variable "settings" {
  description = "More settings of Slipway, by environment variable, such as SLIPWAY_LIMITS_ENTRIES = \"20000\". Not for secrets: these stand in the state."
  type        = map(string)
  default     = {}

  validation {
    condition = length(setsubtract(keys(var.settings), [
      "SLIPWAY_NPM_URL",
      "SLIPWAY_TIMEOUTS_HEAD_SECONDS",
      "SLIPWAY_TIMEOUTS_BODY_SECONDS",
      "SLIPWAY_LIMITS_COMPRESSED_BYTES",
      "SLIPWAY_LIMITS_FILE_BYTES",
      "SLIPWAY_LIMITS_UNPACKED_BYTES",
      "SLIPWAY_LIMITS_ENTRIES",
      "SLIPWAY_LIMITS_RATIO",
      "SLIPWAY_LIMITS_INCOMING_BYTES",
      "SLIPWAY_LIMITS_WAITING_PUBLISHES",
      "SLIPWAY_QUOTAS_SCOPES_PER_USER",
      "SLIPWAY_QUOTAS_PACKAGES",
      "SLIPWAY_QUOTAS_NEW_PACKAGES_PER_WEEK",
      "SLIPWAY_QUOTAS_PUBLISHES_PER_WEEK",
      "SLIPWAY_QUOTAS_OPEN_AUTHORIZATIONS",
      "SLIPWAY_RATES_SIGN_INS",
      "SLIPWAY_RATES_AUTHORIZATIONS",
      "SLIPWAY_RATES_TOKENS",
      "SLIPWAY_RATES_SCOPES",
      "SLIPWAY_RATES_PACKAGES",
      "SLIPWAY_RATES_INVITES",
      "SLIPWAY_RATES_TICKETS",
      "SLIPWAY_RATES_PROVENANCE",
      "SLIPWAY_RATES_UPLOADS",
      "SLIPWAY_RESERVED_NAMES",
      "SLIPWAY_TRUSTED_PROXIES",
      "SLIPWAY_ANALYSIS_CHILDREN",
      "SLIPWAY_ANALYSIS_MEMORY_BYTES",
      "SLIPWAY_ANALYSIS_CPU_SECONDS",
      "SLIPWAY_ANALYSIS_WALL_SECONDS",
      "SLIPWAY_ANALYSIS_DOCUMENTATION_SECONDS",
      "SLIPWAY_ANALYSIS_ATTEMPTS",
      "SLIPWAY_CI_ISSUER",
      "SLIPWAY_ATTESTATION_FULCIO_URL",
      "SLIPWAY_ATTESTATION_IDENTITY_TOKEN",
      "SLIPWAY_ATTESTATION_IN_NPM_DOCUMENTS",
      "SLIPWAY_ATTESTATION_REKOR_URL",
      "SLIPWAY_ATTESTATION_REKOR_VERSION",
      "SLIPWAY_ATTESTATION_TIMESTAMP_URL",
      "SLIPWAY_SIGSTORE_REKOR_URL",
      "SLIPWAY_SIGSTORE_REQUIRE_LOG",
      "SLIPWAY_SIGSTORE_TRUSTED_ROOT",
      "SLIPWAY_SIGSTORE_TUF_ROOT",
      "SLIPWAY_SIGSTORE_TUF_URL",
      "SLIPWAY_LOG",
    ])) == 0
    error_message = "One of these is no setting of Slipway, or is one that these files set themselves; README.md lists all settings."
  }
}
