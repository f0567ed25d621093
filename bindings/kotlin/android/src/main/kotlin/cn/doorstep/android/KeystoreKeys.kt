package cn.doorstep.android

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.util.AtomicFile
import cn.doorstep.ffi.ForeignException
import cn.doorstep.ffi.KeyProvider
import java.io.File
import java.io.FileNotFoundException
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.SecureRandom
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * Keeps the key of one store: 32 random bytes in a file that is not backed up, sealed with a key that never leaves the Keystore. After the first
 * unlock of the device it can be read in the background.
 */
class KeystoreKeys(context: Context, private val name: String) : KeyProvider {
    private val file = AtomicFile(File(context.noBackupFilesDir, "$name.key"))

    override fun storeKey(): ByteArray = try {
        read() ?: make()
    } catch (failed: GeneralSecurityException) {
        throw ForeignException.Failed(failed.javaClass.simpleName)
    }

    private fun read(): ByteArray? {
        val sealed = try { file.readFully() } catch (_: FileNotFoundException) { return null }
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.DECRYPT_MODE, wrapping(), GCMParameterSpec(128, sealed, 0, 12))
        return cipher.doFinal(sealed, 12, sealed.size - 12)
    }

    private fun make(): ByteArray {
        val key = ByteArray(32).also { SecureRandom().nextBytes(it) }
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.ENCRYPT_MODE, wrapping())
        val out = file.startWrite()
        out.write(cipher.iv)
        out.write(cipher.doFinal(key))
        file.finishWrite(out) // synced and renamed: a store without its key is lost
        return key
    }

    private fun wrapping(): SecretKey {
        val store = KeyStore.getInstance(STORE).apply { load(null) }
        (store.getKey(name, null) as SecretKey?)?.let { return it }
        val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, STORE)
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        generator.init(
            KeyGenParameterSpec.Builder(name, purposes)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .setKeySize(256)
                .build(),
        )
        return generator.generateKey()
    }

    private companion object {
        const val STORE = "AndroidKeyStore"
        const val CIPHER = "AES/GCM/NoPadding"
    }
}
