# The two URLs that hold a password. Passwords are made while Terraform runs and handed over by write-only arguments: neither the
# state nor a plan ever holds one. Both are written anew when `passwords_version` is raised, and only then.

ephemeral "random_password" "database" {
  length  = 40
  special = false
}

ephemeral "random_password" "queue" {
  length  = 40
  special = false
}

resource "google_secret_manager_secret" "database" {
  secret_id = "${var.name}-database"

  replication {
    auto {}
  }

  depends_on = [google_project_service.apis]
}

resource "google_secret_manager_secret_version" "database" {
  secret                 = google_secret_manager_secret.database.id
  secret_data_wo         = "postgres://slipway:${ephemeral.random_password.database.result}@${local.database_place}"
  secret_data_wo_version = var.passwords_version

  # Instances of the old revision start with the old version until the new revision has taken over.
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret" "queue" {
  secret_id = "${var.name}-queue"

  replication {
    auto {}
  }

  depends_on = [google_project_service.apis]
}

resource "google_secret_manager_secret_version" "queue" {
  secret                 = google_secret_manager_secret.queue.id
  secret_data_wo         = "amqp://slipway:${ephemeral.random_password.queue.result}@${local.queue_place}"
  secret_data_wo_version = var.passwords_version

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "database" {
  for_each = toset(["api", "worker", "database"])

  secret_id = google_secret_manager_secret.database.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.roles[each.value].member
}

resource "google_secret_manager_secret_iam_member" "queue" {
  for_each = toset(["api", "worker", "queue"])

  secret_id = google_secret_manager_secret.queue.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.roles[each.value].member
}
