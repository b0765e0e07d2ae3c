# Two buckets: what everybody may read, and what only the registry may. They know nothing of what the database knows, so their
# lifecycle rules only clear away uploads that were never finished; everything else is tidied up by the workers.

resource "google_storage_bucket" "public" {
  name                        = "${var.project}-${var.name}-public"
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "inherited"

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }

    condition {
      age = 1
    }
  }

  # What is deleted by mistake can be had back for a week.
  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.apis]
}

resource "google_storage_bucket" "private" {
  name                        = "${var.project}-${var.name}-private"
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }

    condition {
      age = 1
    }
  }

  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.apis]
}

# The edge reads as everybody does. The role may list as well: without that, whoever asks for what does not exist hears 403, and
# clients want 404. Nothing in this bucket is a secret.
resource "google_storage_bucket_iam_member" "everybody" {
  bucket = google_storage_bucket.public.name
  role   = "roles/storage.objectViewer"
  member = "allUsers"
}

# The API reads what is public, and takes uploads in and out.
resource "google_storage_bucket_iam_member" "api_public" {
  bucket = google_storage_bucket.public.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.roles["api"].member
}

resource "google_storage_bucket_iam_member" "api_private" {
  bucket = google_storage_bucket.private.name
  role   = "roles/storage.objectUser"
  member = google_service_account.roles["api"].member
}

resource "google_storage_bucket_iam_member" "worker_public" {
  bucket = google_storage_bucket.public.name
  role   = "roles/storage.objectUser"
  member = google_service_account.roles["worker"].member
}

resource "google_storage_bucket_iam_member" "worker_private" {
  bucket = google_storage_bucket.private.name
  role   = "roles/storage.objectUser"
  member = google_service_account.roles["worker"].member
}
