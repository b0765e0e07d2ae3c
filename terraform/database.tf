# PostgreSQL with a private address, daily backups, a log for recovery to any point in time, and two locks against deletion.

locals {
  # What follows the user in the URL of the database. Traffic is encrypted; the address is inside our own network.
  database_place = "${google_sql_database_instance.main.private_ip_address}:5432/slipway?sslmode=require"
}

resource "google_sql_database_instance" "main" {
  name                = "${var.name}-database"
  region              = var.region
  database_version    = var.database_version
  deletion_protection = true

  settings {
    edition                     = "ENTERPRISE"
    tier                        = var.database_tier
    availability_type           = var.database_availability
    disk_type                   = "PD_SSD"
    disk_size                   = var.database_disk_gb
    disk_autoresize             = true
    deletion_protection_enabled = true

    ip_configuration {
      ipv4_enabled    = false
      private_network = google_compute_network.main.id
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7
      start_time                     = "02:00"

      backup_retention_settings {
        retained_backups = var.database_backups
        retention_unit   = "COUNT"
      }
    }

    # Said, so that it does not depend on the machine; `database_connections` counts on it.
    database_flags {
      name  = "max_connections"
      value = "100"
    }

    # Sunday morning, in Greenwich's time.
    maintenance_window {
      day          = 7
      hour         = 4
      update_track = "stable"
    }
  }

  lifecycle {
    prevent_destroy = true
    # It grows by itself.
    ignore_changes = [settings[0].disk_size]
  }

  depends_on = [google_service_networking_connection.main]
}

resource "google_sql_user" "slipway" {
  name                = "slipway"
  instance            = google_sql_database_instance.main.name
  password_wo         = ephemeral.random_password.database.result
  password_wo_version = var.passwords_version
  # It owns everything in the database, so PostgreSQL would not let it go.
  deletion_policy = "ABANDON"
}

# Slipway wants its text sorted by the collation `C`, which Cloud SQL gives no database that it makes itself. So the user makes it,
# in a job that is started by hand once (see README.md) and does nothing when it is started again.
resource "google_cloud_run_v2_job" "database" {
  name                = "${var.name}-database"
  location            = var.region
  deletion_protection = false

  template {
    template {
      service_account = google_service_account.roles["database"].email
      max_retries     = 0
      timeout         = "120s"

      containers {
        image   = "docker.io/library/postgres:17"
        command = ["/bin/sh", "-c"]
        args    = [file("${path.module}/database/create.sh")]

        env {
          name = "SLIPWAY_DATABASE"

          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.database.secret_id
              version = google_secret_manager_secret_version.database.version
            }
          }
        }
      }

      vpc_access {
        egress = "PRIVATE_RANGES_ONLY"

        network_interfaces {
          network    = google_compute_network.main.id
          subnetwork = google_compute_subnetwork.main.id
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.database, google_sql_user.slipway]
}
